import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import * as signalR from '@microsoft/signalr'
import { EventSource } from 'eventsource'
import Echo from 'laravel-echo'
import PusherServer from 'pusher'
import PusherJs from 'pusher-js'
import { io } from 'socket.io-client'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import WebSocket from 'ws'
import { app, type Post, Server, token, until } from './server'

let server: Server
let first: Post
const closing: (() => unknown)[] = []

beforeAll(async () => {
  server = await Server.start({ Tidings__Channels__room__Durable: 'true' }) // what is to be recovered must be kept
  first = await server.createPost('42', 'The first, which makes the author known')
})

afterAll(async () => {
  for (const close of closing) await close()
  await server.dispose()
})

/** The JavaScript of a page, as it stands there but for the names of the host and of the post, run with what it takes for given. */
async function runPage(page: string, given: Record<string, unknown>, gives: string): Promise<unknown> {
  const text = readFileSync(resolve(import.meta.dirname, '../../docs', page), 'utf8')
  const blocks = [...text.matchAll(/```js\n(.*?)```/gs)].map((block) => block[1]!)
  expect(blocks.length).toBeGreaterThan(0)
  const program = blocks
    .join('\n')
    .replaceAll(/^import .*$/gm, '')
    .replaceAll('https://tidings.example', server.url)
    .replaceAll('wss://tidings.example', server.url.replace('http', 'ws'))
    .replaceAll("'tidings.example'", "'127.0.0.1'")
    .replaceAll('443', String(server.port))
    .replaceAll('forceTLS: true', 'forceTLS: false')
    .replaceAll('useTLS: true', `useTLS: false, port: '${server.port}'`)
    .replaceAll("'post:7'", `'post:${first.id}'`)
    .replaceAll('post:7&', `post:${first.id}&`)
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- it is what the test is about
  const run = new Function(...Object.keys(given), `return (async () => {\n${program}\nreturn ${gives}\n})()`) as (...values: unknown[]) => Promise<unknown>
  return await run(...Object.values(given))
}

const addPost = vi.fn<(post: Post) => void>()
const added = (post: Post): boolean => addPost.mock.calls.some(([one]) => one.id === post.id)

async function getsPosts(): Promise<void> {
  const post = await server.createPost('42', 'Hello')
  await until(() => added(post), 'the post is added')
}

/** What is posted while the client is away is added too, and nothing has to be fetched anew. */
async function getsWhatItMissed(refetch: ReturnType<typeof vi.fn>, isConnected: () => boolean): Promise<void> {
  await getsPosts()
  refetch.mockClear()
  await server.kill()
  await server.restart()
  const missed = await server.createPost('42', 'Missed')
  await until(() => added(missed), 'what was missed is added', 40_000)
  await until(isConnected, 'it is connected again') // Socket.IO's clients are only after they have got what they missed
  expect(refetch).not.toHaveBeenCalled()
}

test('docs/clients/native.md', async () => {
  const handle = vi.fn<(message: { type: string }) => void>()
  const socket = (await runPage('clients/native.md', { WebSocket, handle, token: token('42') }, 'socket')) as WebSocket
  closing.push(() => socket.terminate())
  await until(() => handle.mock.calls.some(([message]) => message.type === 'subscribed'), 'it is subscribed')
  await server.post(`/api/posts/${first.id}/like`, {}, token('fan'))
  await until(() => handle.mock.calls.some(([message]) => message.type === 'post_liked'), 'the like arrives')
})

test('docs/clients/sse.md', async () => {
  const refetch = vi.fn()
  const source = (await runPage('clients/sse.md', { EventSource, addPost, refetch, token: token('42') }, 'source')) as EventSource
  closing.push(() => source.close())
  let subscribed = 0
  source.addEventListener('subscribed', () => subscribed++)
  await until(() => subscribed === 2, 'it is subscribed')
  await getsWhatItMissed(refetch, () => source.readyState === EventSource.OPEN)
}, 60_000)

test('docs/clients/socketio.md', async () => {
  const refetch = vi.fn()
  const fetchToken = async () => await Promise.resolve(token('42'))
  const { socket, ack } = (await runPage('clients/socketio.md', { io, addPost, refetch, fetchToken, postId: first.id }, '{ socket, ack }')) as {
    socket: ReturnType<typeof io>
    ack: unknown
  }
  closing.push(() => socket.disconnect())
  expect(ack).toMatchObject({ ok: true, channel: 'room:lobby' })
  await getsWhatItMissed(refetch, () => socket.connected)
  expect(socket.recovered).toBe(true)
}, 60_000)

test('docs/clients/signalr.md', async () => {
  const [refetch, show] = [vi.fn(), vi.fn()]
  const fetchToken = (): string => token('42')
  const { HubConnectionBuilder } = signalR
  const hub = (await runPage('clients/signalr.md', { HubConnectionBuilder, addPost, refetch, show, fetchToken }, 'hub')) as signalR.HubConnection
  closing.push(async () => await hub.stop())
  await getsWhatItMissed(refetch, () => hub.state === signalR.HubConnectionState.Connected)
  expect(show).toHaveBeenCalled()
}, 60_000)

test('docs/clients/pusher.md', async () => {
  const pusher = (await runPage('clients/pusher.md', { Pusher: PusherJs, APP_KEY: app.key, addPost, token: token('42') }, 'pusher')) as PusherJs
  closing.push(() => pusher.disconnect())
  await until(() => pusher.channel('private-feed-42').subscribed, 'it is subscribed')
  await getsPosts()
})

test('docs/migrate/from-pusher.md', async () => {
  const heard = vi.fn()
  vi.stubGlobal('window', { Pusher: PusherJs }) // where Echo looks for it in a browser
  class KeptEcho extends Echo<'pusher'> {
    constructor(options: ConstructorParameters<typeof Echo<'pusher'>>[0]) {
      super(options)
      closing.push(() => this.disconnect())
      this.channel('orders').listen('.shipped', heard).subscribed(() => void library!.trigger('orders', 'shipped', { order: 7 }))
    }
  }
  let library: PusherServer | undefined
  class KeptPusher extends PusherServer {
    constructor(options: ConstructorParameters<typeof PusherServer>[0]) {
      super(options)
      library = this
    }
  }
  await runPage('migrate/from-pusher.md', { Pusher: KeptPusher, Echo: KeptEcho, APP_KEY: app.key, appId: app.id, key: app.key, secret: app.secret }, 'pusher')
  await until(() => heard.mock.calls.length > 0, 'what the library publishes arrives')
  expect(heard.mock.calls[0]![0]).toEqual({ order: 7 })
  vi.unstubAllGlobals()
})
