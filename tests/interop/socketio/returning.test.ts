import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { io, type Socket } from 'socket.io-client-4.5'
import { Proxy } from '../proxy'
import { Server, token, until } from '../server'

let server: Server
let proxy: Proxy
let socket: Socket
beforeAll(async () => void (server = await Server.start()))
afterAll(async () => await server.dispose())
beforeEach(async () => void (proxy = await Proxy.to(server)))
afterEach(() => {
  socket.close()
  proxy.close()
})

test('A client from before connection state recovery gets what it missed when its link broke', async () => {
  await server.createPost('ada', 'so that there is an author')
  const texts: string[] = []
  let subscribed = 0
  socket = io(`http://127.0.0.1:${proxy.port}`, { transports: ['websocket'], auth: { token: token('old') }, reconnectionDelay: 50, reconnectionDelayMax: 100 })
  socket.on('connect', () => socket.emit('subscribe', 'creator:ada', () => subscribed++))
  socket.on('post_created', (event: { post: { content: { text: string } } }) => texts.push(event.post.content.text))
  await until(() => subscribed === 1, 'it is subscribed')
  await server.createPost('ada', 'seen')
  await until(() => texts.length === 1, 'the first post arrives')

  proxy.cut()
  await until(() => !socket.connected, 'the link is broken')
  await server.createPost('ada', 'missed 1')
  await server.createPost('ada', 'missed 2')
  proxy.open()

  await until(() => texts.includes('missed 2'), 'what was missed arrives')
  expect(texts.filter((text) => text !== 'seen')).toEqual(['missed 1', 'missed 2'])
  expect(texts.includes('so that there is an author')).toBe(false)
})
