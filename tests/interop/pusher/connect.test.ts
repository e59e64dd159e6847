import PusherJs from 'pusher-js'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Server, token, until } from '../server'
import { backend, client, codesOf, connected, disconnectAll, hostAuth, subscribed } from './clients'

let server: Server
beforeAll(async () => void (server = await Server.start({ Tidings__Auth__ClockSkew: '00:00:01' })))
afterAll(async () => await server.dispose())
afterEach(disconnectAll)

test('A client that names an unknown app is told so once, and stays away', async () => {
  const stranger = new PusherJs('no-such-key', { cluster: '', wsHost: '127.0.0.1', wsPort: server.port, forceTLS: false, enabledTransports: ['ws'] })
  const codes = codesOf(stranger)

  await until(() => stranger.connection.state === 'disconnected', 'it gives up')

  expect(codes).toContain(4001)
})

test('A client has a socket id in the form that server libraries take', async () => {
  const visitor = await connected(client(server))
  expect(visitor.connection.socket_id).toMatch(/^\d+\.\d+$/)
  expect(() => backend(server).authorizeChannel(visitor.connection.socket_id, 'private-x')).not.toThrow()
})

test('A client that reconnects after the server was killed subscribes again and goes on', async () => {
  const reader = await connected(client(server, 'ada', hostAuth(server)))
  const channel = await subscribed(reader, 'private-orders')
  const received: unknown[] = []
  channel.bind('placed', (data: unknown) => received.push(data))
  await backend(server).trigger('private-orders', 'placed', { number: 1 })
  await until(() => received.length === 1, 'the first arrives')

  await server.kill()
  await until(() => reader.connection.state !== 'connected', 'it notices')
  await server.restart()
  await connected(reader)
  await until(() => channel.subscribed, 'it is subscribed again')
  await backend(server).trigger('private-orders', 'placed', { number: 2 })

  await until(() => received.length === 2, 'the second arrives')
  expect(received).toEqual([{ number: 1 }, { number: 2 }])
})

test('Clients of a server that stops come back after it, none at once', async () => {
  const readers = await Promise.all(Array.from({ length: 5 }, async () => await connected(client(server))))
  const attempts: number[] = []
  for (const reader of readers) reader.connection.bind('connecting_in', (seconds: number) => attempts.push(seconds))

  await server.stop()
  await server.restart()

  await until(() => readers.every((reader) => reader.connection.state === 'connected'), 'all are back')
  expect(attempts.length).toBeGreaterThanOrEqual(readers.length)
})

test('A token whose time is over ends what was signed with it', async () => {
  const headers = { authorization: `Bearer ${token('ada', 3)}` }
  const reader = await connected(
    client(server, 'ada', { channelAuthorization: { endpoint: `${server.url}/api/pusher/auth`, transport: 'ajax', headers } }),
  )
  const channel = await subscribed(reader, 'private-user-ada')
  const [first, refusals] = [reader.connection.socket_id, [] as { status?: number }[]]
  channel.bind('pusher:subscription_error', (error: { status?: number }) => refusals.push(error))

  // It comes back at once; with the old token the auth endpoint does not sign any more.
  await until(() => refusals.length > 0, 'the channel is gone')
  expect(refusals[0]).toMatchObject({ status: 401 })
  expect(reader.connection.socket_id).not.toBe(first)
})
