import { afterAll, beforeAll, expect, test } from 'vitest'
import WebSocket from 'ws'
import { Server, token, until } from '../server'

let server: Server
beforeAll(async () => void (server = await Server.start()))
afterAll(async () => await server.dispose())

test('A plain WebSocket client subscribes and receives a post', async () => {
  const received: { type: string; id?: string | number; post?: { id: string } }[] = []
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws?token=${token('reader')}`)
  socket.on('message', (data) => received.push(JSON.parse(data.toString())))
  await server.createPost('author', 'the first')
  await until(() => received.some((message) => message.type === 'connected'), 'it is connected')
  socket.send(JSON.stringify({ type: 'subscribe', id: 1, channel: 'creator:author' }))
  await until(() => received.some((message) => message.type === 'subscribed' && message.id === 1), 'it is subscribed')

  const post = await server.createPost('author', 'hello')

  await until(() => received.some((message) => message.type === 'post_created'), 'the post arrives')
  expect(received.filter((message) => message.type === 'post_created').map((message) => message.post?.id)).toEqual([post.id])
  socket.close()
})
