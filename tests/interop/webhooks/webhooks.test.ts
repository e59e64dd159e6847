import { createServer, type IncomingHttpHeaders, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook, WebhookVerificationError } from 'standardwebhooks'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Server, token, until } from '../server'

interface Received {
  headers: IncomingHttpHeaders
  body: string
}

let server: Server
let receiver: HttpServer
let address: string
const received: Received[] = []
let answer = 204

beforeAll(async () => {
  server = await Server.start({ Tidings__Publishing__AllowPrivateNetworks: 'true' })
  receiver = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (piece: string) => (body += piece))
    request.on('end', () => {
      received.push({ headers: request.headers, body })
      response.writeHead(answer).end()
    })
  })
  await new Promise<void>((done) => receiver.listen(0, '127.0.0.1', done))
  address = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`
})

afterAll(async () => {
  await server.dispose()
  receiver.closeAllConnections()
  receiver.close()
})

test('A post that is published by a webhook is signed so that the standardwebhooks package takes it, in each attempt', async () => {
  const connected = await server.post('/api/accounts', { platform: 'webhook', credentials: { url: address } }, token('author'))
  expect(connected.status).toBe(201)
  const { account, secret } = (await connected.json()) as { account: { id: string }; secret: string }

  answer = 503
  const text = 'Ünïcode, "quotes" and a line\nbreak ✓'
  const draft = await server.post('/api/posts', { content: text, status: 'draft' }, token('author'))
  const { post } = (await draft.json()) as { post: { id: string } }
  const scheduledAt = new Date(Date.now() + 1_500).toISOString()
  const scheduled = await server.post(`/api/posts/${post.id}/schedule`, { scheduledAt, timeZone: 'Europe/Berlin', accountIds: [account.id] }, token('author'))
  expect(scheduled.status, await scheduled.clone().text()).toBe(200)

  await until(() => received.length >= 1, 'the first attempt comes')
  answer = 204
  await until(() => received.length >= 2, 'the second attempt comes')

  const webhook = new Webhook(secret)
  for (const { headers, body } of received) {
    const signed = Object.fromEntries(['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => [name, String(headers[name])]))
    const event = webhook.verify(body, signed) as { type: string; data: { id: string; text: string } }
    expect(event.type).toBe('post.published')
    expect(event.data).toMatchObject({ id: post.id, text })
    expect(() => webhook.verify(`${body} `, signed)).toThrow(WebhookVerificationError)
    expect(() => webhook.verify(body, { ...signed, 'webhook-timestamp': String(Number(signed['webhook-timestamp']) - 400) })).toThrow(WebhookVerificationError)
  }
  expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  expect(new Set(received.map(({ body }) => body)).size).toBe(1)
}, 60_000)
