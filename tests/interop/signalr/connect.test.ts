import type { HubConnection } from '@microsoft/signalr'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { app, Server, token, until } from '../server'
import { build, collect, type Event, type Subscribed, ways } from './hub'

let server: Server
const open: HubConnection[] = []

beforeAll(async () => {
  server = await Server.start({ Tidings__Auth__ClockSkew: '0s' })
})

afterEach(async () => {
  await Promise.all(open.splice(0).map(async (hub) => await hub.stop()))
})

afterAll(async () => {
  await server.dispose()
})

function hubOf(way: (typeof ways)[number][1], user: () => string): HubConnection {
  const hub = build(server, user, way)
  open.push(hub)
  return hub
}

describe.each(ways)('@microsoft/signalr over %s', (name, way) => {
  const mark = name.replaceAll(/[^A-Za-z]/g, '')
  it('gets the posts of a creator whom it subscribes to, as receive and under their name', async () => {
    const hub = hubOf(way, () => token('reader'))
    const received = collect(hub, 'post_created')
    const named: Event[] = []
    hub.on('post_created', (event: Event) => named.push(event))
    await hub.start()

    const author = `author${mark}`
    await server.createPost(author, 'The first, which makes the author known')
    const subscribed = await hub.invoke<Subscribed>('Subscribe', `creator:${author}`)
    expect(subscribed.channel).toBe(`creator:${author}`)
    const post = await server.createPost(author, 'Hello')

    await until(() => named.length > 0, 'the post arrives')
    expect(received).toEqual(named)
    expect(named[0]?.post?.id).toBe(post.id)
    expect(named[0]?.channel).toBe(`creator:${author}`)
  })

  it('gets what is its own without asking, and an event of the host app as it was given', async () => {
    const user = `owner${mark}`
    const hub = hubOf(way, () => token(user))
    const attached = collect(hub, 'subscribed')
    const own: unknown[] = []
    hub.on('order_shipped', (data: unknown) => own.push(data))
    const flat = collect(hub, 'greeting')
    const posts = collect(hub, 'post_created')
    await hub.start()
    await until(() => attached.length === 4, 'it is attached to what is its own')
    expect(attached.map((message) => message.channel).sort()).toEqual(['broadcast:all', `feed:${user}`, `notifications:${user}`, `user:${user}`])
    await hub.invoke('Subscribe', 'room:1')

    await server.publish('room:1', 'order_shipped', [1, { two: 'drei\u001e' }])
    await server.publish('user:' + user, 'greeting', { text: 'hello' })

    const post = await server.createPost(user, 'Of my own')

    await until(() => own.length === 1 && flat.length === 1 && posts.length === 1, 'all arrive')
    expect(posts[0]).toMatchObject({ channel: `feed:${user}`, userId: user, post: { id: post.id, content: { text: 'Of my own' } } })
    expect(own).toEqual([[1, { two: 'drei\u001e' }]])
    expect(flat[0]).toMatchObject({ type: 'greeting', channel: 'user:' + user, text: 'hello' })
  })

  it('is refused with a token that is not accepted, and without any', async () => {
    await expect(hubOf(way, () => 'no.token.at-all').start()).rejects.toThrow('401')
    await expect(hubOf(way, () => token('reader', -3_600)).start()).rejects.toThrow('401')
    await expect(hubOf(way, () => '').start()).rejects.toThrow('401')
  })

  it('is told by our code what it may not do', async () => {
    const hub = hubOf(way, () => token('reader'))
    await hub.start()
    await expect(hub.invoke('Subscribe', 'user:somebody-else')).rejects.toThrow('forbidden: You may not subscribe to this channel.')
    await expect(hub.invoke('Subscribe', 'nothing:1')).rejects.toThrow('unknown_channel: There is no such kind of channel.')
    await expect(hub.invoke('Publish', 'feed:reader', 'hello', {})).rejects.toThrow('forbidden: Clients may not publish this event to this channel.')
    await expect(hub.invoke('Nothing')).rejects.toThrow('unknown_type: There is no such hub method.')
  })

  it('publishes to others, and sees who is there and what was said', async () => {
    const room = `room:talk${mark}`
    const [one, two] = [hubOf(way, () => token('one')), hubOf(way, () => token('two'))]
    const [heardByOne, heardByTwo] = [collect(one, 'said'), collect(two, 'said')]
    await Promise.all([one.start(), two.start()])
    await one.invoke('Subscribe', room)
    const { position } = await two.invoke<Subscribed>('Subscribe', room)

    await one.invoke('Publish', room, 'said', { text: 'hello' })

    await until(() => heardByTwo.length === 1, 'the other hears it')
    expect(heardByTwo[0]).toMatchObject({ type: 'said', channel: room, data: { text: 'hello' } })
    expect(heardByOne).toEqual([])
    const membersOf = async () => (await one.invoke<{ members: { userId: string }[] }>('Presence', room)).members.map((member) => member.userId).sort()
    await until(async () => (await membersOf()).length === 2, 'others are seen soon after they have subscribed')
    expect(await membersOf()).toEqual(['one', 'two'])
    const history = await one.invoke<{ events: Event[]; recovered: boolean }>('History', room, position, 10)
    expect(history.events.map((event) => event.id)).toEqual(heardByTwo.map((event) => event.id))
    expect(history.recovered).toBe(true)

    await two.invoke('Unsubscribe', room)
    await expect(two.invoke('Unsubscribe', room)).rejects.toThrow('not_subscribed:')
  })

  it('renews its token, and is closed when one expires', async () => {
    const hub = hubOf(way, () => token('reader', 2))
    let closed: Error | undefined
    hub.onclose((error) => (closed = error ?? new Error('no reason')))
    const warned = collect(hub, 'token_expiring')
    await hub.start()
    await until(() => warned.length === 1, 'it is warned')

    const renewed = await hub.invoke<{ expiresAt: string }>('Authenticate', token('reader', 4))
    expect(Date.parse(renewed.expiresAt)).toBeGreaterThan(Date.now() + 2_000)
    await expect(hub.invoke('Authenticate', token('another'))).rejects.toThrow("forbidden: The token is another user's.")

    await until(() => closed !== undefined, 'it is closed')
    expect(closed?.message).toContain('4401 token_expired')
  })
})

it('is counted under one name, whatever it speaks', async () => {
  for (const [, way] of ways) await hubOf(way, () => token('counted')).start()
  const answer = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${app.secret}` } })
  const lines = (await answer.text()).split('\n').filter((line) => line.startsWith('tidings_connections{protocol="signalr"'))
  expect(lines).toEqual([`tidings_connections{protocol="signalr"} ${ways.length}`])
})
