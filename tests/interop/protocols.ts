import { EventSource } from 'eventsource'
import Echo from 'laravel-echo'
import WebSocket from 'ws'
import * as pushers from './pusher/clients'
import { app, type Server, token, until } from './server'
import * as hubs from './signalr/hub'
import * as sockets from './socketio/clients'

/** An event as each client sees it: the flat object. */
export interface Flat {
  type: string
  channel: string
  id: string
  position?: string
  [field: string]: unknown
}

/** One client of one protocol. `user` is null for a visitor without a token. */
export interface Protocol {
  name: string
  /** Whether a user may subscribe to a channel; the channel is named `kind:id`. */
  mayRead(server: Server, user: string | null, channel: string): Promise<boolean>
  /** Subscribes and collects events of one type; completes when it is subscribed. */
  follow(server: Server, user: string, channel: string, type: string): Promise<{ events: Flat[]; close: () => void | Promise<void> }>
}

const query = (user: string | null) => (user === null ? '' : `&token=${token(user)}`)

async function native(server: Server, user: string | null, channel: string, heard: (message: Flat & { code?: string }) => void): Promise<WebSocket> {
  const ws = new WebSocket(`ws://127.0.0.1:${server.port}/ws?x=1${query(user)}`)
  ws.on('message', (data) => {
    const message = JSON.parse((data as Buffer).toString()) as Flat
    if (message.type === 'connected') ws.send(JSON.stringify({ type: 'subscribe', id: 1, channel }))
    heard(message)
  })
  return ws
}

const nativeProtocol: Protocol = {
  name: 'a plain WebSocket',
  async mayRead(server, user, channel) {
    let verdict: boolean | undefined
    const ws = await native(server, user, channel, (message) => {
      if ((message.id as unknown) !== 1) return
      verdict = message.type === 'subscribed' || message.code === 'already_subscribed'
    })
    await until(() => verdict !== undefined, 'it is answered')
    ws.terminate()
    return verdict!
  },
  async follow(server, user, channel, type) {
    const events: Flat[] = []
    let isSubscribed = false
    const ws = await native(server, user, channel, (message) => {
      if (message.type === 'subscribed' && (message.id as unknown) === 1) isSubscribed = true
      if (message.type === type) events.push(message)
    })
    await until(() => isSubscribed, 'it is subscribed')
    return { events, close: () => ws.terminate() }
  },
}

const sse: Protocol = {
  name: 'EventSource',
  async mayRead(server, user, channel) {
    const answer = await fetch(`${server.url}/sse?channels=${channel}${query(user)}`)
    await answer.body?.cancel()
    return answer.status === 200
  },
  async follow(server, user, channel, type) {
    const events: Flat[] = []
    let isSubscribed = false
    const source = new EventSource(`${server.url}/sse?channels=${channel}${query(user)}`)
    source.addEventListener('subscribed', () => (isSubscribed = true))
    source.addEventListener(type, (message) => events.push(JSON.parse(message.data as string) as Flat))
    await until(() => isSubscribed, 'it is subscribed')
    return { events, close: () => source.close() }
  },
}

const poll: Protocol = {
  name: 'long polling',
  async mayRead(server, user, channel) {
    return (await fetch(`${server.url}/poll?timeout=0&channels=${channel}${query(user)}`)).status === 200
  },
  async follow(server, user, channel, type) {
    const events: Flat[] = []
    const stopping = new AbortController()
    const ask = async (timeout: number, since: string): Promise<string> => {
      const address = `${server.url}/poll?timeout=${timeout}&channels=${channel}&since=${since}${query(user)}`
      const answer = (await (await fetch(address, { signal: stopping.signal })).json()) as { events: Flat[]; since: string }
      events.push(...answer.events.filter((event) => event.type === type))
      return answer.since
    }
    let since = await ask(0, '')
    const loop = async () => {
      while (!stopping.signal.aborted) since = await ask(20, since)
    }
    void loop().catch(() => undefined)
    return { events, close: () => stopping.abort() }
  },
}

const socketIo = (way: string, transports: readonly string[]): Protocol => ({
  name: `socket.io-client, ${way}`,
  async mayRead(server, user, channel) {
    const socket = sockets.client(server, transports, user === null ? {} : { auth: { token: token(user) } })
    await until(() => socket.connected, 'it is connected')
    const ack = (await socket.emitWithAck('subscribe', channel)) as sockets.Ack
    socket.disconnect()
    return ack.ok || ack.error?.code === 'already_subscribed'
  },
  async follow(server, user, channel, type) {
    const socket = await sockets.connected(server, transports, token(user))
    const events: Flat[] = []
    socket.on(type, (event: Flat) => events.push(event))
    await socket.emitWithAck('subscribe', channel)
    return { events, close: () => void socket.disconnect() }
  },
})

const pusher: Protocol = {
  name: 'pusher-js',
  async mayRead(server, user, channel) {
    const client = await pushers.connected(pushers.client(server, user ?? undefined))
    // Nobody signs for a visitor, who asks for the channel without a prefix.
    const subscription = client.subscribe(user === null ? channel.replace(':', '_') : `private-${channel.replace(':', '-')}`)
    const verdict = await new Promise<boolean>((done) => {
      subscription.bind('pusher:subscription_succeeded', () => done(true))
      subscription.bind('pusher:subscription_error', () => done(false))
    })
    client.disconnect()
    return verdict
  },
  async follow(server, user, channel, type) {
    const client = await pushers.connected(pushers.client(server, user))
    const events: Flat[] = []
    const subscription = await pushers.subscribed(client, `private-${channel.replace(':', '-')}`)
    subscription.bind(type, (event: Flat) => events.push(event))
    return { events, close: () => client.disconnect() }
  },
}

const echo: Protocol = {
  name: 'laravel-echo',
  async mayRead(server, user, channel) {
    const client = await pushers.connected(pushers.client(server, user ?? undefined))
    const made = new Echo({ broadcaster: 'pusher', client, key: app.key })
    const subscription = user === null ? made.channel(channel.replace(':', '_')) : made.private(channel.replace(':', '-'))
    const verdict = await new Promise<boolean>((done) => {
      subscription.subscribed(() => done(true))
      subscription.error(() => done(false))
    })
    made.disconnect()
    return verdict
  },
  async follow(server, user, channel, type) {
    const client = await pushers.connected(pushers.client(server, user))
    const made = new Echo({ broadcaster: 'pusher', client, key: app.key })
    const events: Flat[] = []
    await new Promise<void>((done) => {
      made.private(channel.replace(':', '-')).listen(`.${type}`, (event: Flat) => events.push(event)).subscribed(() => done())
    })
    return { events, close: () => made.disconnect() }
  },
}

const signalR = (way: string, options: (typeof hubs.ways)[number][1]): Protocol => ({
  name: `@microsoft/signalr, ${way}`,
  async mayRead(server, user, channel) {
    const hub = hubs.build(server, () => (user === null ? '' : token(user)), options)
    await hub.start()
    const verdict = await hub.invoke('Subscribe', channel).then(
      () => true,
      (error: Error) => error.message.startsWith('already_subscribed:'),
    )
    await hub.stop()
    return verdict
  },
  async follow(server, user, channel, type) {
    const hub = hubs.build(server, () => token(user), options)
    const events = hubs.collect(hub, type) as Flat[]
    await hub.start()
    await hub.invoke('Subscribe', channel)
    return { events, close: async () => await hub.stop() }
  },
})

/** Every protocol that there is, in every way in which its official client comes. */
export const protocols: readonly Protocol[] = [
  nativeProtocol,
  sse,
  poll,
  ...sockets.ways.map(([way, transports]) => socketIo(way, transports)),
  pusher,
  echo,
  ...hubs.ways.map(([way, options]) => signalR(way, options)),
]
