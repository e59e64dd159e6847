import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { Proxy } from '../proxy'
import { Server, until } from '../server'
import { client, connected, disconnectAll, subscribed } from './clients'

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

/** A stock pusher-js that has subscribed to a creator, and the texts of the posts it has got, by their events' ids. */
async function reading(user: string, creator: string) {
  const reader = await connected(client(server, user, { wsPort: proxy.port }))
  const channel = await subscribed(reader, `private-creator-${creator}`)
  const received = new Map<string, string>()
  channel.bind('post_created', (event: { id: string; post: { content: { text: string } } }) => received.set(event.id, event.post.content.text))
  return { reader, received }
}

test('A stock client whose link broke gets what it missed', async () => {
  await server.createPost('ada', 'so that there is an author')
  const { received } = await reading('returning', 'ada')
  await server.createPost('ada', 'seen')
  await until(() => received.size === 1, 'the first post arrives')

  proxy.cut()
  await server.createPost('ada', 'missed 1')
  await server.createPost('ada', 'missed 2')
  proxy.open()

  await until(() => received.size >= 3, 'all of it arrives', patience)
  expect([...received.values()]).toEqual(['seen', 'missed 1', 'missed 2'])
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
