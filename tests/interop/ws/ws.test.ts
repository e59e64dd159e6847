import { afterEach, beforeEach, expect, test } from 'vitest'
import WebSocket from 'ws'
import { ledger, Server, token, until } from '../server'

interface Message {
  type: string
  id?: string | number
  channel?: string
  position?: string
  code?: string
  data?: unknown
  recovered?: boolean
  post?: { id: string }
}

interface Socket {
  ws: WebSocket
  received: Message[]
  closed: { code?: number; reason?: string }
}

let server: Server
const open: WebSocket[] = []

beforeEach(async () => void (server = await Server.start(ledger)))

afterEach(async () => {
  for (const socket of open.splice(0)) socket.terminate()
  await server.dispose()
})

function connect(user = token('reader')): Socket {
  const ws = new WebSocket(`ws://127.0.0.1:${server.port}/ws?token=${user}`)
  const socket: Socket = { ws, received: [], closed: {} }
  open.push(ws)
  ws.on('message', (data) => socket.received.push(JSON.parse((data as Buffer).toString()) as Message))
  ws.on('close', (code, reason) => (socket.closed = { code, reason: reason.toString() }))
  ws.on('error', () => undefined)
  return socket
}

async function ask(socket: Socket, message: { type: string; id: number; [field: string]: unknown }): Promise<Message> {
  await until(() => socket.received.some((each) => each.type === 'connected'), 'it is connected')
  socket.ws.send(JSON.stringify(message))
  const answer = () => socket.received.find((each) => each.id === message.id)
  await until(() => answer() !== undefined, 'it is answered')
  return answer()!
}

test('A plain WebSocket client subscribes and receives a post', async () => {
  await server.createPost('author', 'The first, which makes the author known')
  const socket = connect()
  await ask(socket, { type: 'subscribe', id: 1, channel: 'creator:author' })
  const post = await server.createPost('author', 'hello')
  await until(() => socket.received.some((message) => message.type === 'post_created'), 'the post arrives')
  expect(socket.received.filter((message) => message.type === 'post_created').map((message) => message.post?.id)).toEqual([post.id])
})

test('It is closed with a code when its token is not accepted, and told what is forbidden', async () => {
  const refused = connect('no.token.at-all')
  await until(() => refused.closed.code !== undefined, 'it is closed')
  expect(refused.closed).toEqual({ code: 4401, reason: 'invalid_token' })
  expect(await ask(connect(), { type: 'subscribe', id: 1, channel: 'user:somebody-else' })).toMatchObject({ type: 'error', code: 'forbidden' })
})

test('It gets everything that it missed when the server was killed', async () => {
  const before = connect()
  await ask(before, { type: 'subscribe', id: 1, channel: 'ledger:1' })
  await server.publish('ledger:1', 'entry', 1)
  await until(() => before.received.some((message) => message.type === 'entry'), 'the first arrives')
  const since = before.received.find((message) => message.type === 'entry')?.position

  await server.kill()
  await until(() => before.closed.code === 1006, 'the client notices')
  await server.restart()
  for (const entry of [2, 3, 4]) await server.publish('ledger:1', 'entry', entry)
  const after = connect()

  expect(await ask(after, { type: 'subscribe', id: 1, channel: 'ledger:1', since })).toMatchObject({ recovered: true })
  const entries = () => after.received.filter((message) => message.type === 'entry')
  await until(() => entries().length === 3, 'the rest arrives')
  expect(entries().map((message) => message.data)).toEqual([2, 3, 4])
})

test('It is closed when its token expires', async () => {
  const socket = connect(token('reader', 2))
  await until(() => socket.closed.code !== undefined, 'it is closed')
  expect(socket.closed).toEqual({ code: 4401, reason: 'token_expired' })
})
