import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Server, until } from '../server'
import { backend, client, connected, disconnectAll, hostAuth, subscribed } from './clients'

interface Happened {
  name: string
  channel: string
  user_id?: string
  event?: string
  data?: string
}

let server: Server
let host: HttpServer
let refusals = 0
const calls: { isValid: boolean; contentType?: string | undefined; events: Happened[] }[] = []
const told = (): Happened[] => calls.flatMap((call) => call.events)

beforeAll(async () => {
  host = createServer((request, response) => {
    let rawBody = ''
    request.on('data', (part: Buffer) => (rawBody += part.toString()))
    request.on('end', () => {
      if (refusals > 0) {
        refusals--
        response.writeHead(503).end()
        return
      }
      const webhook = backend(server).webhook({ headers: request.headers, rawBody })
      calls.push({ isValid: webhook.isValid(), contentType: request.headers['content-type'], events: webhook.isValid() ? webhook.getEvents() : [] })
      response.writeHead(200).end()
    })
  })
  await new Promise<void>((done) => host.listen(0, '127.0.0.1', done))
  server = await Server.start({ Tidings__Webhooks__host__Url: `http://127.0.0.1:${(host.address() as AddressInfo).port}/hooks` })
})
afterEach(disconnectAll)
afterAll(async () => {
  await server.dispose()
  host.close()
})

test('The host is told what happens in channels, in order, signed as its library checks it', async () => {
  const ada = await connected(client(server, 'ada', hostAuth(server, { user_id: 'ada' })))
  const channel = await subscribed(ada, 'presence-watched')
  const tab = await connected(client(server, 'ada', hostAuth(server, { user_id: 'ada' })))
  await subscribed(tab, 'presence-watched')
  channel.trigger('client-waved', { both: 'hands' })
  await until(() => told().some((event) => event.name === 'client_event'), 'the client event is told')
  ada.disconnect()
  tab.disconnect()
  await until(() => told().some((event) => event.name === 'channel_vacated'), 'the channel is vacated')
  await until(() => told().some((event) => event.name === 'member_removed'), 'the member is gone')

  expect(calls.every((call) => call.isValid && call.contentType === 'application/json')).toBe(true)
  const mine = told().filter((event) => event.channel === 'presence-watched')
  expect(mine.map((event) => event.name).sort()).toEqual(['channel_occupied', 'channel_vacated', 'client_event', 'member_added', 'member_removed'])
  expect(mine.find((event) => event.name === 'client_event')).toMatchObject({ event: 'client-waved', data: '{"both":"hands"}', user_id: 'ada' })
})

test('A call that fails is repeated', async () => {
  refusals = 1
  const reader = await connected(client(server))
  reader.subscribe('cache-nothing')
  await until(() => told().some((event) => event.name === 'cache_miss' && event.channel === 'cache-nothing'), 'it is told in the end')
  expect(refusals).toBe(0)
})
