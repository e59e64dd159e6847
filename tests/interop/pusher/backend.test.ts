import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Server, app, until } from '../server'
import { backend, client, connected, disconnectAll, hostAuth, subscribed } from './clients'

let server: Server
beforeAll(async () => void (server = await Server.start()))
afterAll(async () => await server.dispose())
afterEach(disconnectAll)

test('A user signs in, is sent to, and is sent away for good', async () => {
  const ada = await connected(client(server, 'ada'))
  ada.signin()
  const received: unknown[] = []
  ada.user.bind('hello', (data: unknown) => received.push(data))
  await until(() => ada.user.user_data !== null, 'she is signed in')
  const own = ada.user as unknown as { serverToUserChannel: { subscribed: boolean } | null }
  await until(() => own.serverToUserChannel?.subscribed === true, 'she is subscribed to what is for her')

  await backend(server).sendToUser('ada', 'hello', { to: 'ada' })
  await backend(server).sendToUser('bob', 'hello', { to: 'bob' })
  await until(() => received.length === 1, 'it arrives')
  expect(received).toEqual([{ to: 'ada' }])

  await backend(server).terminateUserConnections('ada')
  await until(() => ada.connection.state === 'disconnected', 'she is sent away')
})

test('The sender can leave itself out', async () => {
  const [one, other] = [await connected(client(server)), await connected(client(server))]
  const seen: string[] = []
  for (const [name, each] of [['one', one], ['other', other]] as const) (await subscribed(each, 'all')).bind('told', () => seen.push(name))

  await backend(server).trigger('all', 'told', {}, { socket_id: one.connection.socket_id })
  await until(() => seen.length > 0, 'the other is told')
  await backend(server).trigger('all', 'told', {})

  await until(() => seen.length === 3, 'both are told')
  expect(seen.sort()).toEqual(['one', 'other', 'other'])
})

test('Several channels and batches are published in their order, each channel once', async () => {
  const reader = await connected(client(server))
  const seen: string[] = []
  for (const name of ['left', 'right']) (await subscribed(reader, name)).bind('step', (data: { number: number }) => seen.push(`${name} ${data.number}`))

  await backend(server).trigger(['left', 'left', 'right'], 'step', { number: 1 })
  await backend(server).triggerBatch([
    { channel: 'left', name: 'step', data: { number: 2 } },
    { channel: 'right', name: 'step', data: { number: 3 } },
    { channel: 'left', name: 'step', data: { number: 4 } },
  ])

  await until(() => seen.length === 5, 'all arrive')
  expect(seen).toEqual(['left 1', 'right 1', 'left 2', 'right 3', 'left 4'])
})

test('The queries tell what is read, by how many and by whom', async () => {
  const ada = await connected(client(server, 'ada', hostAuth(server, { user_id: 'ada' })))
  await subscribed(ada, 'presence-query')
  await subscribed(ada, 'plain-query')
  const get = async (path: string, params: Record<string, string> = {}) => {
    const answer = await backend(server).get({ path, params })
    return [answer.status, answer.status === 200 ? await answer.json() : undefined]
  }

  expect(await get('/channels', { filter_by_prefix: 'presence-', info: 'user_count' })).toEqual([200, { channels: { 'presence-query': { user_count: 1 } } }])
  expect(await get('/channels', { filter_by_prefix: 'nobody-' })).toEqual([200, { channels: {} }])
  expect(await get('/channels/plain-query', { info: 'subscription_count' })).toEqual([200, { occupied: true, subscription_count: 1 }])
  expect(await get('/channels/presence-query', { info: 'user_count' })).toEqual([200, { occupied: true, user_count: 1 }])
  expect(await get('/channels/never-read', { info: 'subscription_count' })).toEqual([200, { occupied: false, subscription_count: 0 }])
  expect(await get('/channels/presence-query/users')).toEqual([200, { users: [{ id: 'ada' }] }])
  await expect(get('/channels/plain-query/users')).rejects.toMatchObject({ status: 400 })
  await expect(get('/channels/plain-query', { info: 'user_count' })).rejects.toMatchObject({ status: 400 })

  await backend(server).trigger('cache-query', 'set', { value: 1 })
  expect(await get('/channels/cache-query', { info: 'cache' })).toMatchObject([200, { cache: { data: '{"value":1}' } }])
  const triggered = await backend(server).trigger(['presence-query', 'plain-query'], 'x', {}, { info: 'user_count,subscription_count' })
  expect(await triggered.json()).toEqual({ channels: { 'presence-query': { user_count: 1 }, 'plain-query': { subscription_count: 1 } } })
})

test('An event in the form of old libraries is taken: its name in the query, its data as the body', async () => {
  const reader = await connected(client(server))
  const seen: unknown[] = []
  ;(await subscribed(reader, 'old')).bind('step', (data: unknown) => seen.push(data))

  const answer = await backend(server).post({ path: '/channels/old/events', params: { name: 'step' }, body: { number: 1 } as unknown as string })
  expect([answer.status, await answer.json()]).toEqual([202, {}])
  await until(() => seen.length === 1, 'it arrives')
  expect(seen).toEqual([{ number: 1 }])
  await expect(backend(server).post({ path: '/channels/old/events', params: {}, body: '{}' })).rejects.toMatchObject({ status: 400 })
})

test('Names with blanks and letters of other alphabets are sent to', async () => {
  const answer = await backend(server).sendToUser('a b é/ö', 'hello', {})
  expect(answer.status).toBe(200)
  expect((await backend(server).terminateUserConnections('a b')).status).toBe(200)
})

test('A request with another secret, or for another app, is refused', async () => {
  await expect(backend(server, { secret: 'wrong' }).trigger('a', 'b', {})).rejects.toMatchObject({ status: 401 })
  await expect(backend(server, { key: 'wrong' }).trigger('a', 'b', {})).rejects.toMatchObject({ status: 401 })
  await expect(backend(server, { appId: 'another' }).trigger('a', 'b', {})).rejects.toMatchObject({ status: 404 })
})

test('Who watches others hears who is online, at first and when it changes', async () => {
  const watching = (user: string, watchlist: string[]) => ({
    userAuthentication: {
      transport: 'ajax' as const,
      endpoint: 'unused',
      customHandler: ({ socketId }: { socketId: string }, done: (error: Error | null, data: { auth: string; user_data: string } | null) => void) =>
        done(null, backend(server).authenticateUser(socketId, { id: user, watchlist })),
    },
  })
  const bob = await connected(client(server, 'bob', watching('bob', [])))
  bob.signin()
  await until(() => bob.user.user_data !== null, 'bob is signed in')
  const ada = await connected(client(server, 'ada', watching('ada', ['bob', 'eve'])))
  const seen: string[] = []
  const note = (event: { name: string; user_ids: string[] }) => seen.push(...event.user_ids.map((user) => `${user} ${event.name}`))
  ada.user.watchlist.bind('online', note)
  ada.user.watchlist.bind('offline', note)
  const online = async () =>
    await (await fetch(`${server.url}/api/realtime/channels/presence:online/presence`, { headers: { authorization: `Bearer ${app.secret}` } })).text()
  await until(async () => (await online()).includes('"bob"'), 'bob is online')
  ada.signin()
  await until(() => seen.length === 2, 'she hears how they are')
  expect(seen.sort()).toEqual(['bob online', 'eve offline'])

  bob.disconnect()
  await until(() => seen.length === 3, 'she hears that bob has gone')
  expect(seen[2]).toBe('bob offline')
})
