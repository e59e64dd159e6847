import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Server, app, until } from '../server'
import { backend, client, connected, disconnectAll, hostAuth, refused, subscribed } from './clients'

let server: Server
beforeAll(async () => void (server = await Server.start()))
afterAll(async () => await server.dispose())
afterEach(disconnectAll)

test("The host's own events arrive with their data as it was given", async () => {
  const reader = await connected(client(server))
  const channel = await subscribed(reader, 'my-channel')
  const received: unknown[] = []
  channel.bind('thing', (data: unknown) => received.push(data))
  const given = [{ deep: { list: [1, 'two', null], text: 'é "quoted" \u2028' } }, 'plain text', '', ['a'], 42, 'null and void']

  for (const data of given) await backend(server).trigger('my-channel', 'thing', data)
  await server.publish('my-channel', 'thing', { by: 'the other API' })
  channel.bind('post_created', (data: unknown) => received.push(data))
  await server.publish('my-channel', 'post_created', { text: 'not flat' })

  await until(() => received.length >= given.length + 2, 'all arrive')
  expect(received).toEqual([...given, { by: 'the other API' }, { text: 'not flat' }])
})

test('A bad signature is refused, and one of another channel', async () => {
  const wrong = (channel: string) => ({
    channelAuthorization: {
      transport: 'ajax' as const,
      endpoint: 'unused',
      customHandler: ({ socketId }: { socketId: string }, done: (error: Error | null, data: { auth: string } | null) => void) =>
        done(null, backend(server).authorizeChannel(socketId, channel)),
    },
  })
  const reader = await connected(client(server, undefined, wrong('private-another')))
  expect(await refused(reader, 'private-mine')).toMatchObject({ type: 'AuthError', status: 401 })

  const other = await connected(client(server, undefined, { ...wrong('x'), channelAuthorization: { transport: 'ajax', endpoint: 'unused', customHandler: (_, done) => done(null, { auth: `${app.key}:00` }) } }))
  expect(await refused(other, 'private-mine')).toMatchObject({ type: 'AuthError', status: 401 })
})

test('A cache channel gives its last event to who comes later, or says that there is none', async () => {
  const early = await connected(client(server))
  const misses: unknown[] = []
  const first = early.subscribe('cache-weather')
  first.bind('pusher:cache_miss', () => misses.push(1))
  await until(() => misses.length === 1, 'there is nothing yet')
  await backend(server).trigger('cache-weather', 'report', { sky: 'grey' })
  await backend(server).trigger('cache-weather', 'report', { sky: 'blue' })

  const late = await connected(client(server))
  const order: string[] = []
  const second = late.subscribe('cache-weather')
  second.bind('pusher:subscription_succeeded', () => order.push('succeeded'))
  second.bind('report', (data: { sky: string }) => order.push(data.sky))
  await until(() => order.length === 2, 'the last one arrives')
  expect(order).toEqual(['succeeded', 'blue'])

  await server.kill()
  await server.restart()
  const later = await connected(client(server))
  const seen: string[] = []
  later.subscribe('cache-weather').bind('report', (data: { sky: string }) => seen.push(data.sky))
  await until(() => seen.length === 1, 'the last one is there after a crash')
  expect(seen).toEqual(['blue'])
})

test('An encrypted channel is opaque to the server and clear to its readers', async () => {
  const master = Buffer.alloc(32, 7).toString('base64')
  const library = backend(server, { encryptionMasterKeyBase64: master })
  const reader = await connected(
    client(server, undefined, {
      channelAuthorization: {
        transport: 'ajax',
        endpoint: 'unused',
        customHandler: ({ socketId, channelName }, done) => done(null, library.authorizeChannel(socketId, channelName)),
      },
    }),
  )
  const received: unknown[] = []
  const channel = reader.subscribe('private-encrypted-secrets')
  channel.bind('told', (data: unknown) => received.push(data))
  await until(() => channel.subscribed, 'it is subscribed')

  await library.trigger('private-encrypted-secrets', 'told', { secret: 'é' })

  await until(() => received.length === 1, 'it is read')
  expect(received).toEqual([{ secret: 'é' }])
})

test('Members of a private channel send each other events, with data of any type', async () => {
  const [ada, bob] = await Promise.all([connected(client(server, 'ada', hostAuth(server))), connected(client(server, 'bob', hostAuth(server)))])
  const [fromAda, atBob] = await Promise.all([subscribed(ada!, 'private-den'), subscribed(bob!, 'private-den')])
  const received: unknown[] = []
  atBob!.bind('client-said', (data: unknown) => received.push(data))
  fromAda!.bind('client-said', () => received.push('echo'))

  for (const data of [{ a: 1 }, 'text', 7, null]) fromAda!.trigger('client-said', data)

  await until(() => received.length === 4, 'all arrive')
  expect(received).toEqual([{ a: 1 }, 'text', 7, null])
})

test('Too many client events are refused, and the connection stays', async () => {
  const ada = await connected(client(server, 'ada', hostAuth(server)))
  const channel = await subscribed(ada, 'private-busy')
  const errors: { data?: { code?: number } }[] = []
  ada.connection.bind('error', (error: { data?: { code?: number } }) => errors.push(error))

  for (let number = 0; number < 15; number++) channel.trigger('client-said', { number })

  await until(() => errors.length > 0, 'the rest is refused')
  expect(errors[0]).toMatchObject({ data: { code: 4301 } })
  expect(ada.connection.state).toBe('connected')
})
