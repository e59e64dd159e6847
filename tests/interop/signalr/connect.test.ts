import { HttpTransportType, HubConnection, HubConnectionBuilder, LogLevel } from '@microsoft/signalr'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Server, token, until } from '../server'

interface Event {
  type: string
  channel: string
  position?: string
  id: string
  post?: { id: string }
  data?: unknown
  [field: string]: unknown
}

interface Subscribed {
  channel: string
  position: string
  recovered?: boolean
}

let server: Server
const open: HubConnection[] = []

beforeAll(async () => {
  server = await Server.start()
})

afterEach(async () => {
  await Promise.all(open.splice(0).map(async (hub) => await hub.stop()))
})

afterAll(async () => {
  await server.dispose()
})

function build(transport: HttpTransportType, user: () => string): HubConnection {
  const hub = new HubConnectionBuilder()
    .withUrl(`${server.url}/hubs/tidings`, { transport, accessTokenFactory: user })
    .configureLogging(LogLevel.None)
    .build()
  open.push(hub)
  return hub
}

describe.each([
  ['WebSockets', HttpTransportType.WebSockets],
  ['Server-Sent Events', HttpTransportType.ServerSentEvents],
  ['long polling', HttpTransportType.LongPolling],
])('@microsoft/signalr over %s', (_, transport) => {
  it('gets the posts of a creator whom it subscribes to, as receive and under their name', async () => {
    const hub = build(transport, () => token('reader'))
    const received: Event[] = []
    const named: Event[] = []
    hub.on('receive', (event: Event) => received.push(event))
    hub.on('post_created', (event: Event) => named.push(event))
    await hub.start()

    const author = `author${transport}`
    await server.createPost(author, 'The first, which makes the author known')
    const subscribed = await hub.invoke<Subscribed>('Subscribe', `creator:${author}`)
    expect(subscribed.channel).toBe(`creator:${author}`)
    const post = await server.createPost(author, 'Hello')

    await until(() => named.length > 0, 'the post arrives')
    const event = received.find((each) => each.type === 'post_created')
    expect(event).toEqual(named[0])
    expect(event?.post?.id).toBe(post.id)
    expect(event?.channel).toBe(`creator:${author}`)
  })

  it('is refused with a token that is not accepted, and without any', async () => {
    await expect(build(transport, () => 'no.token.at-all').start()).rejects.toThrow('401')
    await expect(build(transport, () => '').start()).rejects.toThrow('401')
  })

  it('is told by our code what it may not read', async () => {
    const hub = build(transport, () => token('reader'))
    await hub.start()
    await expect(hub.invoke('Subscribe', 'user:somebody-else')).rejects.toThrow('forbidden: You may not subscribe to this channel.')
    await expect(hub.invoke('Subscribe', 'nothing:1')).rejects.toThrow('unknown_channel:')
    await expect(hub.invoke('Nothing')).rejects.toThrow('unknown_type:')
  })
})
