import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server as HttpServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, Server, token, until } from '../server'

const chromium = process.env['CHROMIUM'] ?? 'chromium'
const isThere = spawnSync(chromium, ['--version']).status === 0
const resolve = createRequire(import.meta.url).resolve
const files: Record<string, [type: string, path: string]> = {
  '/': ['text/html', join(import.meta.dirname, 'page.html')],
  '/clients.js': ['text/javascript', join(import.meta.dirname, 'clients.js')],
  '/lib/socket.io.js': ['text/javascript', join(resolve('socket.io-client/package.json'), '../dist/socket.io.js')],
  '/lib/pusher.js': ['text/javascript', join(resolve('pusher-js/package.json'), '../dist/web/pusher.js')],
  '/lib/signalr.js': ['text/javascript', join(resolve('@microsoft/signalr/package.json'), '../dist/browser/signalr.js')],
  '/lib/signalr-msgpack.js': ['text/javascript', join(resolve('@microsoft/signalr-protocol-msgpack/package.json'), '../dist/browser/signalr-protocol-msgpack.js')],
}

const count = 5
let server: Server
let pages: HttpServer
let browser: ChildProcess | undefined
let profile: string
const told: Record<string, unknown> = {}

beforeAll(async () => {
  pages = createServer((request, response) => {
    const path = request.url ?? ''
    if (request.method === 'POST') {
      let body = ''
      request.on('data', (part) => (body += String(part)))
      request.on('end', () => {
        told[path] = JSON.parse(body)
        response.end()
      })
    } else if (path === '/settings') {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ server: server.url, key: app.key, token: token('reader'), channel: 'creator:author', count }))
    } else if (files[path]) {
      response.setHeader('content-type', files[path][0])
      response.end(readFileSync(files[path][1]))
    } else {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((done) => pages.listen(0, '127.0.0.1', done))
  server = await Server.start({ Tidings__AllowedOrigins: `http://127.0.0.1:${(pages.address() as AddressInfo).port}` })
  profile = mkdtempSync(join(tmpdir(), 'tidings-chromium-'))
})

afterAll(async () => {
  if (browser && browser.exitCode === null) {
    const ended = new Promise((done) => browser?.once('exit', done))
    browser.kill('SIGKILL')
    await ended
  }
  await server.dispose()
  pages.close()
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
})

test.skipIf(!isThere && process.env['TIDINGS_ALL_TESTS'] !== '1')(
  "In Chromium, from a page of another origin, each client is refused with a bad token, and gets the same posts in the same order",
  async () => {
    await server.createPost('author', 'The first, which makes the author known')
    const address = `http://127.0.0.1:${(pages.address() as AddressInfo).port}/`
    browser = spawn(chromium, ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', `--user-data-dir=${profile}`, address], { stdio: 'ignore' })

    await until(() => '/ready' in told || '/failed' in told, 'all clients have subscribed', 60_000)
    expect(told['/failed']).toBeUndefined()
    expect(told['/ready']).toEqual({ WebSocket: '4401 invalid_token', EventSource: 'closed', 'socket.io-client': 'Invalid token', 'SignalR WebSockets': '401' })
    for (let number = 0; number < count; number++) await server.createPost('author', `Post ${number}`)
    await until(() => '/seen' in told, 'all clients have all posts', 60_000)

    const seen = told['/seen'] as Record<string, { id: string; position: string; text: string }[]>
    expect(Object.keys(seen)).toHaveLength(10)
    expect(seen['WebSocket']?.map((event) => event.text)).toEqual(Array.from({ length: count }, (_, number) => `Post ${number}`))
    for (const [name, events] of Object.entries(seen)) expect(events, name).toEqual(seen['WebSocket'])
  },
  150_000,
)
