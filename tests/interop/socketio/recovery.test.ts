import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Proxy } from '../proxy'
import { app, Server, token, until } from '../server'
import { connected, named, ways } from './clients'

let server: Server
beforeEach(async () => void (server = await Server.start()))
afterEach(async () => await server.dispose())

describe.each(ways)('%s', (_, transports) => {
  test('A client whose server was killed gets its socket back with everything it missed', async () => {
    const socket = await connected(server, transports, token('reader'))
    await server.createPost('writer', 'before')
    await socket.emitWithAck('subscribe', 'creator:writer')
    const first = await server.createPost('writer', 'seen')
    await until(() => named(socket, 'post_created').length === 1, 'the first arrives')
    const id = socket.id
    socket.io.reconnection(false)

    const down = new Promise((done) => socket.once('disconnect', done))
    await server.kill()
    await down
    await server.restart()
    const missed = []
    for (let number = 0; number < 5; number++) missed.push(await server.createPost('writer', `missed ${number}`))
    const up = new Promise<boolean>((done) => socket.once('connect', () => done(socket.recovered)))
    socket.connect()

    expect(await up).toBe(true)
    expect(socket.id).toBe(id)
    await until(() => named(socket, 'post_created').length >= 6, 'what was missed arrives')
    const live = await server.createPost('writer', 'live')
    await until(() => named(socket, 'post_created').length >= 7, 'the live one arrives')
    expect(named<{ post: { id: string } }>(socket, 'post_created').map((event) => event.post.id)).toEqual([first, ...missed, live].map((post) => post.id))
    socket.close()
  })

  test('A client comes back by itself when the server is restarted for a deployment', async () => {
    const socket = await connected(server, transports, token('reader'))
    await server.createPost('writer', 'before')
    expect(await socket.emitWithAck('subscribe', 'creator:writer')).toMatchObject({ ok: true })
    const up = new Promise<boolean>((done) => socket.io.on('reconnect', () => socket.once('connect', () => done(socket.recovered))))
    await server.stop()
    await server.restart()
    const post = await server.createPost('writer', 'while you were away')
    expect(await up).toBe(true)
    await until(() => named(socket, 'post_created').length >= 1, 'the post arrives')
    expect(named<{ post: { id: string } }>(socket, 'post_created').map((event) => event.post.id)).toEqual([post.id])
    socket.close()
  })

  test('A client that left on purpose starts anew', async () => {
    const socket = await connected(server, transports, token('reader'))
    const id = socket.id
    socket.disconnect()
    const up = new Promise<boolean>((done) => socket.once('connect', () => done(socket.recovered)))
    socket.connect()
    expect(await up).toBe(false)
    expect(socket.id).not.toBe(id)
    socket.close()
  })
})

test.each(ways)('A token that ends takes the connection with it, and a new one brings it back, %s', async (_, transports) => {
  await server.dispose()
  server = await Server.start({ Tidings__Auth__ClockSkew: '00:00:00' })
  let lifetime = 3
  const socket = await connected(server, transports, '', { auth: (give: (auth: object) => void) => give({ token: token('reader', lifetime) }) })
  const reasons: string[] = []
  socket.on('disconnect', (reason) => reasons.push(reason))
  lifetime = 3_600
  const up = new Promise<boolean>((done) => socket.once('disconnect', () => socket.once('connect', () => done(true))))
  expect(await up).toBe(true)
  expect(reasons).toEqual(['transport close'])
  socket.close()
})

/** A token that lets a user into a channel of a kind that takes tokens, as the host app's backend makes it. */
function subscriptionToken(user: string, channel: string): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'HS256' })}.${part({ sub: user, channel, exp: Math.floor(Date.now() / 1_000) + 3_600 })}`
  return `${signed}.${createHmac('sha256', app.secret).update(signed).digest('base64url')}`
}

test('A channel that a subscription token has opened takes it again: who comes back to it is a new socket, and misses nothing', async () => {
  await server.dispose()
  server = await Server.start({ Tidings__Channels__vault__Access: 'token', Tidings__Channels__vault__Durable: 'true' })
  const proxy = await Proxy.to(server)
  const socket = await connected({ url: `http://127.0.0.1:${proxy.port}` } as Server, ['websocket'], token('reader'))
  expect(await socket.emitWithAck('subscribe', 'vault:1')).toMatchObject({ ok: false, error: { code: 'forbidden' } })
  expect(await socket.emitWithAck('subscribe', 'vault:1', { token: subscriptionToken('another', 'vault:1') })).toMatchObject({ ok: false })
  const joined = (await socket.emitWithAck('subscribe', 'vault:1', { token: subscriptionToken('reader', 'vault:1') })) as { ok: boolean; position: string }
  expect(joined.ok).toBe(true)
  const id = socket.id

  proxy.cut()
  await until(() => !socket.connected, 'the link is broken')
  await server.publish('vault:1', 'opened', 7)
  proxy.open()
  await until(() => socket.connected, 'it is back')

  expect([socket.recovered, socket.id === id]).toEqual([false, false])
  expect(await socket.emitWithAck('subscribe', 'vault:1', { since: joined.position })).toMatchObject({ ok: false, error: { code: 'forbidden' } })
  expect(await socket.emitWithAck('subscribe', 'vault:1', { since: joined.position, token: subscriptionToken('reader', 'vault:1') })).toMatchObject({ ok: true, recovered: true })
  await until(() => named(socket, 'opened').length > 0, 'what was missed arrives')
  expect(named(socket, 'opened')).toEqual([7])
  socket.close()
  proxy.close()
})

test('A client whose token has ended meanwhile is refused, with the code that says why', async () => {
  await server.dispose()
  server = await Server.start({ Tidings__Auth__ClockSkew: '00:00:00' })
  const socket = await connected(server, ['websocket'], token('reader', 3))
  const error = await new Promise<Error & { data?: unknown }>((done) => socket.once('connect_error', done))
  expect(error.message).toBe('Invalid token')
  expect(error.data).toEqual({ code: 'token_expired' })
  socket.close()
})
