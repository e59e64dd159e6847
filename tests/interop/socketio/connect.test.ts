import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Server, token, until } from '../server'
import { client, connected, named, ways, type Ack } from './clients'

let server: Server
beforeAll(async () => void (server = await Server.start()))
afterAll(async () => await server.dispose())

describe.each(ways)('%s', (_, transports) => {
  test('A client without a token is told that it needs one', async () => {
    const socket = client(server, transports)
    const error = await new Promise<Error & { data?: unknown }>((done) => socket.once('connect_error', done))
    expect(error.message).toBe('Authentication required')
    expect(error.data).toEqual({ code: 'missing_token' })
    socket.close()
  })

  test('A client with a bad token is told so', async () => {
    const socket = client(server, transports, { auth: { token: 'nonsense' } })
    const error = await new Promise<Error & { data?: unknown }>((done) => socket.once('connect_error', done))
    expect(error.message).toBe('Invalid token')
    expect(error.data).toEqual({ code: 'invalid_token' })
    socket.close()
  })

  test('A token may be in the query, and in a header', async () => {
    const inQuery = client(server, transports, { query: { token: token('reader') } })
    const inHeader = client(server, transports, { extraHeaders: { authorization: `Bearer ${token('reader')}` } })
    await until(() => inQuery.connected && inHeader.connected, 'both are connected')
    inQuery.close()
    inHeader.close()
  })

  test('Another namespace than the main one is not there', async () => {
    const socket = client(server, transports, { auth: { token: token('reader') } })
    const other = socket.io.socket('/admin')
    const error = await new Promise<Error>((done) => other.once('connect_error', done))
    expect(error.message).toBe('Invalid namespace')
    socket.close()
  })

  test('A user receives the posts of the people it follows without subscribing', async () => {
    const follower = `follower-${transports.join('-')}` // the server is shared by all three ways
    const socket = await connected(server, transports, token(follower))
    await server.createPost('writer', 'the first')
    await server.post('/api/creators/writer/follow', {}, token(follower))
    const post = await server.createPost('writer', 'hello, wörld')
    await until(() => named(socket, 'post_created').length > 0, 'the post arrives')
    const [event] = named<{ type: string; channel: string; post: { id: string } }>(socket, 'post_created').slice(-1)
    expect(event).toMatchObject({ type: 'post_created', channel: `feed:${follower}`, post: { id: post.id } })
    socket.close()
  })

  test('A post is subscribed to by its id, and answers come where they are wanted', async () => {
    const socket = await connected(server, transports, token('reader'))
    const post = await server.createPost('writer', 'like me')
    const ack = (await socket.emitWithAck('subscribe:post', post.id)) as Ack
    expect(ack).toMatchObject({ ok: true, channel: `post:${post.id}` })

    await server.post(`/api/posts/${post.id}/like`, {}, token('fan'))
    await until(() => named(socket, 'post_liked').length > 0, 'the like arrives')
    expect(named(socket, 'post_liked')[0]).toMatchObject({ postId: post.id, likesCount: 1 })

    socket.emit('unsubscribe:post', post.id)
    await until(() => named(socket, 'unsubscribed').length > 0, 'it is unsubscribed')
    expect(named(socket, 'unsubscribed')[0]).toMatchObject({ channel: `post:${post.id}` })
    socket.close()
  })

  test('A channel that is not the client\'s is refused, in the answer or as an event', async () => {
    const socket = await connected(server, transports, token('reader'))
    const ack = (await socket.emitWithAck('subscribe', 'user:someone')) as Ack
    expect(ack).toMatchObject({ ok: false, error: { code: 'forbidden', channel: 'user:someone' } })

    socket.emit('subscribe', 'user:someone')
    await until(() => named(socket, 'error').length > 0, 'the refusal arrives')
    expect(named(socket, 'error')[0]).toMatchObject({ code: 'forbidden', channel: 'user:someone' })
    socket.close()
  })

  test('Every spelling of a channel is the same channel', async () => {
    const socket = await connected(server, transports, token('reader'))
    for (const name of ['room:a', 'room_b', 'private-room-c', { type: 'room', id: 'd' }]) {
      const ack = (await socket.emitWithAck('subscribe', name)) as Ack
      expect(ack).toMatchObject({ ok: true })
    }
    expect(named(socket, 'subscribed').map((event) => event['channel'])).toEqual(['room:a', 'room:b', 'room:c', 'room:d'])
    expect(await socket.emitWithAck('subscribe', 'room:a')).toMatchObject({ ok: true })
    socket.close()
  })

  test('The app\'s own event arrives as it was given', async () => {
    const socket = await connected(server, transports, token('reader'))
    await socket.emitWithAck('subscribe', 'room:own')
    await server.publish('room:own', 'score', { home: 2, away: 1, note: 'half "time"  ' })
    await server.publish('room:own', 'text', 'plain')
    await until(() => named(socket, 'text').length > 0, 'both arrive')
    expect(named(socket, 'score')).toEqual([{ home: 2, away: 1, note: 'half "time"  ' }])
    expect(named(socket, 'text')).toEqual(['plain'])
    socket.close()
  })

  test('Clients publish, see each other, and do not hear themselves', async () => {
    const room = `room:talk-${transports.join('-')}`
    const one = await connected(server, transports, token('one'))
    const two = await connected(server, transports, token('two'))
    expect(await one.emitWithAck('subscribe', room, { presence: true })).toMatchObject({ ok: true })
    expect(await two.emitWithAck('subscribe', room, { presence: true })).toMatchObject({ ok: true })
    expect(await one.emitWithAck('publish', room, 'wave', { hello: [1, 2] })).toEqual({ ok: true })
    await until(() => named(two, 'wave').length > 0, 'the wave arrives')
    expect(named(two, 'wave')).toEqual([{ hello: [1, 2] }])
    expect(named(one, 'wave')).toEqual([])

    one.emit('typing', room)
    await until(() => named(two, 'typing').length > 0, 'the typing arrives')
    expect(named(two, 'typing')[0]).toMatchObject({ userId: 'one', channel: room })

    const presence = (await one.emitWithAck('presence', room)) as Ack & { members: { userId: string }[] }
    expect(presence.members.map((member) => member.userId).sort()).toEqual(['one', 'two'])
    const history = (await one.emitWithAck('history', room, { limit: 10 })) as Ack & { events: { type: string }[] }
    expect(history.events.map((event) => event.type)).toContain('wave')
    one.close()
    two.close()
  })

  test('Binary data is refused in words', async () => {
    const socket = await connected(server, transports, token('reader'))
    await socket.emitWithAck('subscribe', 'room:bytes')
    const ack = (await socket.emitWithAck('publish', 'room:bytes', 'file', Buffer.from([1, 2, 3]))) as Ack
    expect(ack).toMatchObject({ ok: false, error: { code: 'bad_request', message: 'Binary data is not supported: send JSON.' } })
    socket.close()
  })

  test('An event that the server does not know is answered with that', async () => {
    const socket = await connected(server, transports, token('reader'))
    expect(await socket.emitWithAck('dance')).toMatchObject({ ok: false, error: { code: 'unknown_type' } })
    socket.close()
  })

  test('The sender may leave itself out by its socket id', async () => {
    const socket = await connected(server, transports, token('reader'))
    await socket.emitWithAck('subscribe', 'room:except')
    await server.publish('room:except', 'mine', 1, { excludeConnectionId: socket.id })
    await server.publish('room:except', 'others', 2)
    await until(() => named(socket, 'others').length > 0, 'the second arrives')
    expect(named(socket, 'mine')).toEqual([])
    socket.close()
  })

  test('A token is renewed without reconnecting', async () => {
    const socket = await connected(server, transports, token('reader', 120))
    const ack = (await socket.emitWithAck('auth', token('reader', 7_200))) as Ack & { expiresAt: string }
    expect(ack.ok).toBe(true)
    expect(Date.parse(ack.expiresAt)).toBeGreaterThan(Date.now() + 7_000_000)
    socket.close()
  })
})

test('Events that come while a client moves from polling to a WebSocket are neither lost nor doubled', async () => {
  for (let round = 0; round < 5; round++) {
    const socket = client(server, ['polling', 'websocket'], { auth: { token: token('mover') } })
    await until(() => socket.connected, 'it is connected')
    await socket.emitWithAck('subscribe', `room:move${round}`)
    const numbers: number[] = []
    for (let number = 0; number < 30; number++) {
      numbers.push(number)
      await server.publish(`room:move${round}`, 'count', number)
    }
    await until(() => named(socket, 'count').length >= numbers.length, 'all arrive')
    expect(named(socket, 'count')).toEqual(numbers)
    socket.close()
  }
})
