import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { io, type Socket } from 'socket.io-client-4.5'
import { Proxy } from '../proxy'
import { Server, token, until } from '../server'
import { ways } from './clients'

let server: Server
let proxy: Proxy
const open: Socket[] = []
beforeAll(async () => void (server = await Server.start()))
afterAll(async () => await server.dispose())
beforeEach(async () => void (proxy = await Proxy.to(server)))
afterEach(() => {
  for (const socket of open.splice(0)) socket.close()
  proxy.close()
})

interface Created {
  id: string
  post: { content: { text: string } }
}

/** A client from before connection state recovery that joins a creator's channel whenever it is connected, and the posts' texts and ids that it gets. */
async function reading(user: string, creator: string, transports: readonly string[], port = proxy.port) {
  let subscribed = 0
  const all: Created[] = []
  const socket = io(`http://127.0.0.1:${port}`, { transports: [...transports], forceNew: true, auth: { token: token(user) }, reconnectionDelay: 50, reconnectionDelayMax: 100 })
  open.push(socket)
  socket.on('connect', () => socket.emit('subscribe', `creator:${creator}`, () => subscribed++))
  socket.on('post_created', (event: Created) => all.push(event))
  await until(() => subscribed === 1, 'it is subscribed')
  return { socket, texts: () => all.map((event) => event.post.content.text), ids: (text: string) => new Set(all.filter((event) => event.post.content.text === text).map((event) => event.id)) }
}

describe.each(ways)('A client from before connection state recovery, %s', (way, transports) => {
  const creator = way.replaceAll(/[^a-z]/g, '')

  test('gets what it missed when its link broke', async () => {
    await server.createPost(creator, 'so that there is an author')
    const { socket, texts, ids } = await reading(`old-${creator}`, creator, transports)
    await server.createPost(creator, 'seen')
    await until(() => texts().length === 1, 'the first post arrives')

    proxy.cut()
    await until(() => !socket.connected, 'the link is broken')
    await server.createPost(creator, 'missed 1')
    await server.createPost(creator, 'missed 2')
    proxy.open()

    await until(() => texts().includes('missed 2'), 'what was missed arrives')
    expect(texts().filter((text) => text !== 'seen')).toEqual(['missed 1', 'missed 2'])
    expect(ids('seen').size, 'what comes again has the id that it had').toBe(1)
  })

  test('gets it once: who comes then, and every other user, begins live', async () => {
    await server.createPost(creator, 'so that there is an author')
    const { socket } = await reading(`moved-${creator}`, creator, transports)
    proxy.cut()
    await until(() => !socket.connected, 'the link is broken')
    socket.close()
    await server.createPost(creator, 'missed')
    const stranger = await reading(`stranger-${creator}`, creator, transports, server.port)
    const first = await reading(`moved-${creator}`, creator, transports, server.port)
    await until(() => first.texts().includes('missed'), 'the first that comes gets what was missed')
    const second = await reading(`moved-${creator}`, creator, transports, server.port)

    await server.createPost(creator, 'after')

    await until(() => stranger.texts().length > 0 && second.texts().length > 0, 'all get what comes then')
    expect([stranger.texts(), second.texts()]).toEqual([['after'], ['after']])
  })

  test('begins live after its own goodbye', async () => {
    await server.createPost(creator, 'so that there is an author')
    const { socket } = await reading(`polite-${creator}`, creator, transports)
    socket.close()
    await until(async () => (await server.connectionsOf(`polite-${creator}`)) === 0, 'the connection has ended')
    await server.createPost(creator, 'missed')
    const after = await reading(`polite-${creator}`, creator, transports, server.port)
    await server.createPost(creator, 'after')
    await until(() => after.texts().length > 0, 'it gets what comes then')
    expect(after.texts()).toEqual(['after'])
  })
})
