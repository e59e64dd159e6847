import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { Proxy } from '../proxy'
import { Server, until } from '../server'
import { client, connected, disconnectAll } from './clients'

// After a handshake that failed pusher-js waits for 15 s and more before the next.
const patience = 60_000
const limit = 2 * patience

let server: Server
let proxy: Proxy
beforeAll(async () => void (server = await Server.start()))
afterAll(async () => await server.dispose())
beforeEach(async () => void (proxy = await Proxy.to(server)))
afterEach(() => {
  disconnectAll()
  proxy.close()
})

/** A stock pusher-js that has subscribed to a creator, the texts of the posts it has got, by their events' ids, and all of them with repeats. */
async function reading(user: string, creator: string, wsPort = proxy.port, of = server) {
  const reader = await connected(client(of, user, { wsPort }))
  const received = new Map<string, string>()
  const all: string[] = []
  const channel = reader.subscribe(`private-creator-${creator}`)
  channel.bind('post_created', (event: { id: string; post: { content: { text: string } } }) => {
    received.set(event.id, event.post.content.text)
    all.push(event.post.content.text)
  })
  await new Promise((done) => channel.bind('pusher:subscription_succeeded', done))
  return { reader, received, all }
}

/** A reader whose link breaks, and what it would miss. */
async function vanished(user: string, creator: string, of = server): Promise<void> {
  await of.createPost(creator, 'so that there is an author')
  const { received } = await reading(user, creator, proxy.port, of)
  await of.createPost(creator, 'seen')
  await until(() => received.size === 1, 'the first post arrives')
  proxy.cut()
  await of.createPost(creator, 'missed')
}

test('A stock client whose link broke gets what it missed', async () => {
  await server.createPost('ada', 'so that there is an author')
  const { received, all } = await reading('returning', 'ada')
  await server.createPost('ada', 'seen')
  await until(() => received.size === 1, 'the first post arrives')

  proxy.cut()
  await server.createPost('ada', 'missed 1')
  await server.createPost('ada', 'missed 2')
  proxy.open()

  await until(() => received.size >= 3, 'all of it arrives', patience)
  expect([...received.values()]).toEqual(['seen', 'missed 1', 'missed 2'])
  expect(all, 'what was sent just before it broke comes again, with the id that it had').toEqual(['seen', 'seen', 'missed 1', 'missed 2'])
}, limit)

test('It gets what it missed after the server was killed, too', async () => {
  await server.createPost('bob', 'so that there is an author')
  const { received } = await reading('survivor', 'bob')
  await server.createPost('bob', 'seen')
  await until(() => received.size === 1, 'the first post arrives')
  await new Promise((done) => setTimeout(done, 1_500)) // a sign of life of the server, by which the next one knows how far the client was

  await server.kill()
  proxy.cut()
  await server.restart()
  await server.createPost('bob', 'missed')
  proxy.open()

  await until(() => [...received.values()].includes('missed'), 'the missed post arrives', patience)
}, limit)

test('Another tab of the same user begins live', async () => {
  await server.createPost('cleo', 'before')
  const first = await reading('tabs', 'cleo')
  const second = await reading('tabs', 'cleo')

  await server.createPost('cleo', 'after')

  await until(() => first.received.size > 0 && second.received.size > 0, 'both get it')
  expect([...second.received.values()]).toEqual(['after'])
})

test('What one has taken over comes to no other, and to no other user at all', async () => {
  await vanished('moved', 'dora')
  const stranger = await reading('stranger', 'dora', server.port)
  const first = await reading('moved', 'dora', server.port)
  await until(() => [...first.received.values()].includes('missed'), 'the first that comes gets what was missed')
  const second = await reading('moved', 'dora', server.port)

  await server.createPost('dora', 'after')

  await until(() => stranger.received.size > 0 && second.received.size > 0, 'all get what comes then')
  expect(stranger.all).toEqual(['after'])
  expect(second.all).toEqual(['after'])
}, limit)

test('Who has said goodbye begins live', async () => {
  await server.createPost('emil', 'so that there is an author')
  const before = await reading('polite', 'emil')
  before.reader.disconnect()
  await until(async () => (await server.connectionsOf('polite')) === 0, 'the connection has ended')
  await server.createPost('emil', 'missed')
  const after = await reading('polite', 'emil', server.port)

  await server.createPost('emil', 'after')

  await until(() => after.received.size > 0, 'it gets what comes then')
  expect(after.all).toEqual(['after'])
}, limit)

test('With the setting off everybody begins live', async () => {
  const off = await Server.start({ Tidings__ReturnWindow: '0' })
  try {
    proxy.close()
    proxy = await Proxy.to(off)
    await vanished('off', 'fred', off)
    await until(async () => (await off.connectionsOf('off')) === 0, 'the connection has ended')
    const after = await reading('off', 'fred', off.port, off)
    await off.createPost('fred', 'after')
    await until(() => after.received.size > 0, 'it gets what comes then')
    expect(after.all).toEqual(['after'])
  } finally {
    await off.dispose()
  }
}, limit)
