import { createHmac } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Server, app, token, until, type Post } from '../server'
import { client, codesOf, connected, disconnectAll, refused, subscribed } from './clients'

interface PostCreated {
  type: string
  channel: string
  position: string
  id: string
  userId: string
  post: Post
}

let server: Server
beforeAll(async () => void (server = await Server.start()))
afterAll(async () => await server.dispose())
afterEach(disconnectAll)

test('pusher-js subscribes to a channel of the product by our auth endpoint and receives a post as a flat event', async () => {
  await server.createPost('ada', 'so that there is an author')
  const reader = await connected(client(server, 'reader'))
  const channel = await subscribed(reader, 'private-creator-ada')
  const received: PostCreated[] = []
  channel.bind('post_created', (event: PostCreated) => received.push(event))

  const post = await server.createPost('ada', 'hello')

  await until(() => received.length > 0, 'the post arrives')
  expect(received[0]).toMatchObject({ type: 'post_created', channel: 'creator:ada', userId: 'ada', post: { id: post.id } })
  expect(received[0]!.position).toBeTruthy()
})

test("A user's feed arrives under the name as subscribed, and nobody else's is signed", async () => {
  const reader = await connected(client(server, 'bob'))
  const feed = await subscribed(reader, 'private-feed-bob')
  const received: PostCreated[] = []
  feed.bind('post_created', (event: PostCreated) => received.push(event))

  const post = await server.createPost('bob', 'my own')

  await until(() => received.length > 0, 'the own post arrives')
  expect(received[0]).toMatchObject({ channel: 'feed:bob', post: { id: post.id } })
  expect(await refused(reader, 'private-feed-bobby')).toMatchObject({ status: 403 })
  expect(await refused(reader, 'private-user-bo')).toMatchObject({ status: 403 })
})

test('The auth endpoints sign for the user who asks and for nobody else', async () => {
  const ask = async (path: string, body: Record<string, string>, user?: string) => {
    const answer = await fetch(`${server.url}/api/pusher/${path}`, {
      method: 'POST',
      headers: user ? { authorization: `Bearer ${token(user)}` } : {},
      body: new URLSearchParams(body),
    })
    return { status: answer.status, body: (await answer.json()) as { auth?: string; channel_data?: string; user_data?: string } }
  }
  const mine = await ask('auth', { socket_id: '1.2', channel_name: 'private-feed-42' }, '42')
  expect(mine.status).toBe(200)
  expect(JSON.parse(mine.body.channel_data!)).toMatchObject({ user_id: '42' })
  const signed = createHmac('sha256', app.secret).update(`1.2:private-feed-42:${mine.body.channel_data}`).digest('hex')
  expect(mine.body.auth).toBe(`${app.key}:${signed}`)
  const user = await ask('user-auth', { socket_id: '1.2' }, '42')
  expect(JSON.parse(user.body.user_data!)).toMatchObject({ id: '42' })

  for (const name of ['private-feed-4', 'private-feed-421', 'private-user-x42', 'private-notifications-4-42']) {
    expect((await ask('auth', { socket_id: '1.2', channel_name: name }, '42')).status).toBe(403)
  }
  // Names of the host's own are for its endpoint to sign, and what has no prefix needs no signature.
  for (const name of ['private-orders', 'presence-office', 'feed_42', 'feed:42', 'private-feed-', '#server-to-user-42']) {
    expect((await ask('auth', { socket_id: '1.2', channel_name: name }, '42')).status).toBe(403)
  }
  expect((await ask('auth', { socket_id: '1.2', channel_name: 'private-feed-42' })).status).toBe(401)
  expect((await ask('user-auth', { socket_id: '1.2' })).status).toBe(401)
  expect((await ask('auth', { socket_id: 'x', channel_name: 'private-feed-42' }, '42')).status).toBe(400)
  expect((await ask('auth', { socket_id: '1.2' }, '42')).status).toBe(400)
})

test('A token that was taken back is not signed for', async () => {
  const old = token('leaver', 3_600, { iat: Math.floor(Date.now() / 1_000) - 10 })
  expect((await server.post('/api/realtime/users/leaver/disconnect', { revokeTokens: true }, app.secret)).status).toBe(200)
  const answer = await fetch(`${server.url}/api/pusher/auth`, {
    method: 'POST',
    headers: { authorization: `Bearer ${old}` },
    body: new URLSearchParams({ socket_id: '1.2', channel_name: 'private-feed-leaver' }),
  })
  expect(answer.status).toBe(401)
})

/** Each body with its media type, and what is wrong with it. */
const bodies: readonly (readonly [type: string, body: string | Uint8Array, code: string])[] = [
  ['application/json', '{"socket_id":"1.2","channel_name":"private-feed-42"}', 'bad_request'],
  ['application/x-www-form-urlencoded', '', 'bad_request'],
  ['application/x-www-form-urlencoded', `socket_id=1.2&channel_name=${'x'.repeat(5_000)}`, 'bad_request'],
  ['application/x-www-form-urlencoded', `${'k'.repeat(3_000)}=1`, 'bad_request'],
  ['application/x-www-form-urlencoded', Array.from({ length: 1_100 }, (_, number) => `${number.toString(36)}=`).join('&'), 'bad_request'],
  ['application/x-www-form-urlencoded; charset=utf-7', 'socket_id=1.2&channel_name=private-feed-42', 'bad_request'],
  ['multipart/form-data', 'socket_id=1.2', 'bad_request'],
  ['multipart/form-data; boundary=x', 'no part at all', 'bad_request'],
  [`multipart/form-data; boundary=${'x'.repeat(200)}`, 'no part at all', 'bad_request'],
  ['multipart/form-data; boundary=x', `--x\r\n${'h: 1\r\n'.repeat(50)}\r\n1\r\n--x--`, 'bad_request'],
  ['application/x-www-form-urlencoded', 'socket_id=%FF%zz&channel_name=%00', 'bad_request'],
  ['application/x-www-form-urlencoded', new Uint8Array([0xff, 0xfe, 0x00]), 'invalid'],
  ['application/x-www-form-urlencoded', 'socket_id=1.2&socket_id=3.4&channel_name=private-feed-42', 'invalid'],
]

test.each(bodies)('A body that is no form of ours is answered with 400: %s', async (type, body, code) => {
  for (const path of ['auth', 'user-auth']) {
    const answer = await fetch(`${server.url}/api/pusher/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token('42')}`, 'content-type': type },
      body: body as string,
    })
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([400, code])
  }
})

test('What is signed for a session of our own page ends with it, at the latest when its cookie does', async () => {
  const origin = { origin: server.url }
  const registered = await fetch(`${server.url}/api/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...origin },
    body: JSON.stringify({ nickname: 'page', email: 'page@example.com', password: 'a long enough password' }),
  })
  expect(registered.status).toBe(201)
  const id = ((await registered.json()) as { user: { id: string } }).user.id
  const headers = { ...origin, cookie: registered.headers.get('set-cookie')!.split(';')[0]! }
  const sign = async (socketId: string, channelName: string) => {
    const answer = await fetch(`${server.url}/api/pusher/auth`, { method: 'POST', headers, body: new URLSearchParams({ socket_id: socketId, channel_name: channelName }) })
    expect(answer.status).toBe(200)
    return (await answer.json()) as { auth: string; channel_data: string }
  }
  const signed = JSON.parse((await sign('1.2', `private-feed-${id}`)).channel_data) as { user_id: string; exp?: number; sid?: string }
  expect(signed).toMatchObject({ user_id: id, sid: expect.any(String) as string })
  expect(signed.exp).toBeGreaterThan(Date.now() / 1_000)

  const page = await connected(
    client(server, undefined, {
      channelAuthorization: {
        transport: 'ajax',
        endpoint: 'unused',
        customHandler: ({ socketId, channelName }, done) => void sign(socketId, channelName).then((answer) => done(null, answer)),
      },
    }),
  )
  const codes = codesOf(page)
  await subscribed(page, `private-feed-${id}`)
  expect((await fetch(`${server.url}/api/auth/logout`, { method: 'POST', headers })).status).toBeLessThan(300)
  await until(() => page.connection.state === 'disconnected', 'the connection ends with the session')
  expect([...new Set(codes)]).toEqual([4009])
})
