import { afterEach, expect, test } from 'vitest'
import { app, ledger, Server, token } from '../server'
import { Browser, mayRun } from './browser'

let browser: Browser
let server: Server

afterEach(async () => {
  await browser.dispose()
  await server.dispose()
})

test.skipIf(!mayRun)(
  'In Chromium, from a page of another origin, each client is refused with a bad token, and gets the same posts in the same order',
  async () => {
    const count = 5
    browser = await Browser.serve('clients.js', {
      '/settings': () => ({ server: server.url, key: app.key, token: token('reader'), channel: 'creator:author', count }),
    })
    server = await Server.start({ Tidings__AllowedOrigins: browser.origin })
    await server.createPost('author', 'The first, which makes the author known')
    browser.open()

    expect(await browser.hears('/ready', 60_000)).toEqual({ WebSocket: '4401 invalid_token', EventSource: 'closed', 'socket.io-client': 'Invalid token', 'SignalR WebSockets': '401' })
    for (let number = 0; number < count; number++) await server.createPost('author', `Post ${number}`)

    const seen = (await browser.hears('/seen', 60_000)) as Record<string, { id: string; position: string; text: string }[]>
    expect(Object.keys(seen)).toHaveLength(10)
    expect(seen['WebSocket']?.map((event) => event.text)).toEqual(Array.from({ length: count }, (_, number) => `Post ${number}`))
    for (const [name, events] of Object.entries(seen)) expect(events, name).toEqual(seen['WebSocket'])
  },
  150_000,
)

test.skipIf(!mayRun)(
  'In Chromium, each client is refused what is not its own, is answered, sees who is there, sends to others, gets what it missed when the server was killed, and ends with its token',
  async () => {
    browser = await Browser.serve('sessions.js', {
      '/settings': () => ({ server: server.url, key: app.key }),
      '/token': (query) => token(query.get('user')!, Number(query.get('seconds'))),
    })
    server = await Server.start({ ...ledger, Tidings__AllowedOrigins: browser.origin })
    browser.open()

    const met = (await browser.hears('/met', 60_000)) as Record<string, object>
    expect(Object.keys(met)).toHaveLength(11)
    for (const [name, result] of Object.entries(met)) {
      const spoken = { subscribed: ['ok', 'ok'], presence: ['one', 'two'], published: 'ok', heard: { by: 'two', 'é"\\': [1, null] } }
      const binary = name.startsWith('socket.io') ? { binary: 'bad_request' } : {}
      expect(result, name).toEqual(name === 'EventSource' ? { forbidden: 'forbidden' } : { forbidden: 'forbidden', ...spoken, ...binary })
    }

    await browser.hears('/following', 60_000)
    await server.publish('ledger:1', 'entry', 1)
    await new Promise((done) => setTimeout(done, 1_500)) // a sign of life of the server, by which the next one knows how far pusher-js was
    await server.kill()
    await server.restart()
    for (const entry of [2, 3, 4]) await server.publish('ledger:1', 'entry', entry)
    const recovered = (await browser.hears('/recovered', 90_000)) as Record<string, number[]>
    for (const name of Object.keys(met)) expect(recovered[name], name).toEqual([1, 2, 3, 4])

    expect(await browser.hears('/expired', 60_000)).toEqual({
      WebSocket: '4401 token_expired',
      EventSource: 'token_expired',
      'socket.io-client polling': 'transport close',
      'socket.io-client websocket': 'transport close',
      'socket.io-client upgrade': 'transport close',
      'pusher-js': 'connected, then connecting',
      'laravel-echo': 'connected, then connecting',
      'SignalR WebSockets': '4401 token_expired',
      'SignalR Server-Sent Events': '4401 token_expired',
      'SignalR long polling': '4401 token_expired',
      'SignalR MessagePack': '4401 token_expired',
    })
  },
  300_000,
)
