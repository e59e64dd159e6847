import type { HubConnection } from '@microsoft/signalr'
import { EventSource } from 'eventsource'
import Echo from 'laravel-echo'
import { io } from 'socket.io-client-4.5'
import { afterAll, beforeAll, expect, test } from 'vitest'
import WebSocket from 'ws'
import * as pushers from '../pusher/clients'
import { app, ledger, Server, token, until } from '../server'
import { build, type Event, type Subscribed, ways } from '../signalr/hub'
import * as sockets from '../socketio/clients'
import { Balancer } from './balancer'
import { binaries, Postgres } from './postgres'

const channel = 'ledger:1'
const settings = { ...ledger, Tidings__EncryptionKeys: 'an encryption key of the interoperability tests' }

let postgres: Postgres | undefined
let nodes: Server[] = []
let balancer: Balancer
const closing: (() => void | Promise<void>)[] = []
const isThere = binaries !== undefined

beforeAll(async () => {
  if (!isThere) return
  postgres = await Postgres.start()
  const shared = { ...settings, Tidings__Database: postgres.database }
  nodes = [await Server.start(shared), await Server.start(shared)]
  balancer = await Balancer.start(nodes[0]!.port)
}, 120_000)

afterAll(async () => {
  for (const close of closing) await close()
  pushers.disconnectAll()
  balancer?.dispose()
  for (const node of nodes) await node.dispose()
  await postgres?.dispose()
})

/** What each client has received, by its name. */
const seen = new Map<string, unknown[]>()

function taker(name: string): (data: unknown) => void {
  const all: unknown[] = []
  seen.set(name, all)
  return (data) => {
    if (!all.includes(data)) all.push(data) // who can't say what it saw last may get an event again, with the same id
  }
}

async function plainWebSocket(): Promise<void> {
  const take = taker('a plain WebSocket')
  let since: string | undefined
  let isSubscribed = false
  let isOver = false
  const connect = (): void => {
    const socket = new WebSocket(`${balancer.url.replace('http', 'ws')}/ws?token=${token('native')}`)
    socket.on('message', (data) => {
      const message = JSON.parse((data as Buffer).toString()) as Event
      if (message.type === 'connected') socket.send(JSON.stringify({ type: 'subscribe', id: 1, channel, since }))
      if (message.type === 'subscribed') isSubscribed = true
      if (message.type === 'entry') {
        since = message.position
        take(message.data)
      }
    })
    socket.on('error', () => undefined)
    socket.on('close', () => void (isOver || setTimeout(connect, 50)))
    closing.push(() => socket.terminate())
  }
  closing.push(() => void (isOver = true))
  connect()
  await until(() => isSubscribed, 'the WebSocket is subscribed')
}

async function eventSource(): Promise<void> {
  const take = taker('eventsource')
  let isSubscribed = false
  const source = new EventSource(`${balancer.url}/sse?channels=${channel}&token=${token('sse')}`)
  closing.push(() => source.close())
  source.addEventListener('subscribed', () => (isSubscribed = true))
  source.addEventListener('entry', ({ data }) => take((JSON.parse(data as string) as Event).data))
  await until(() => isSubscribed, 'the EventSource is subscribed')
}

async function longPolling(): Promise<void> {
  const take = taker('long polling')
  let since = ''
  let isOver = false
  closing.push(() => void (isOver = true))
  const ask = async (timeout: number): Promise<void> => {
    const answer = await fetch(`${balancer.url}/poll?timeout=${timeout}&channels=${channel}&since=${since}&token=${token('poll')}`)
    if (answer.status !== 200) throw new Error(`The poll was answered with ${answer.status}.`)
    const page = (await answer.json()) as { events: Event[]; since: string }
    since = page.since
    for (const event of page.events) if (event.type === 'entry') take(event.data)
  }
  await ask(0)
  const loop = async (): Promise<void> => {
    while (!isOver) await ask(5).catch(async () => await new Promise((done) => setTimeout(done, 50)))
  }
  void loop()
}

async function socketIo(way: string, transports: readonly string[]): Promise<void> {
  const take = taker(`socket.io-client, ${way}`)
  const socket = sockets.client({ url: balancer.url } as Server, transports, { auth: { token: token('socketio') } })
  closing.push(() => void socket.disconnect())
  socket.on('entry', take)
  await until(() => socket.connected && socket.io.engine.transport.name === transports.at(-1), 'Socket.IO is connected')
  await socket.emitWithAck('subscribe', channel)
}

async function olderSocketIo(): Promise<void> {
  const take = taker('socket.io-client 4.5')
  const socket = io(balancer.url, { transports: ['websocket'], auth: { token: token('older') }, reconnectionDelay: 50, reconnectionDelayMax: 200 })
  closing.push(() => void socket.disconnect())
  let isSubscribed = false
  socket.on('entry', take)
  socket.on('connect', () => socket.emit('subscribe', channel, () => (isSubscribed = true)))
  await until(() => isSubscribed, 'the older Socket.IO is subscribed')
}

async function pusher(): Promise<void> {
  const take = taker('pusher-js')
  const client = await pushers.connected(pushers.client({ url: balancer.url, port: balancer.port } as Server, 'pusher'))
  client.signin()
  await until(() => client.user.user_data !== null, 'Pusher is signed in')
  ;(await pushers.subscribed(client, 'private-ledger-1')).bind('entry', take)
}

async function echo(): Promise<void> {
  const take = taker('laravel-echo')
  const client = await pushers.connected(pushers.client({ url: balancer.url, port: balancer.port } as Server, 'echo'))
  let isSubscribed = false
  new Echo({ broadcaster: 'pusher', client, key: app.key }).private('ledger-1').listen('.entry', take).subscribed(() => (isSubscribed = true))
  await until(() => isSubscribed, 'Echo is subscribed')
}

async function signalR(way: string, options: (typeof ways)[number][1]): Promise<void> {
  const take = taker(`@microsoft/signalr, ${way}`)
  const hub: HubConnection = build({ url: balancer.url } as Server, () => token('signalr'), { ...options, reconnects: true })
  closing.push(async () => await hub.stop())
  let position = ''
  hub.on('receive', (event: Event) => {
    if (event.type !== 'entry') return
    position = event.position ?? position
    take(event.data)
  })
  hub.onreconnected(async () => void (await hub.invoke('Subscribe', channel, position)))
  await hub.start()
  position = (await hub.invoke<Subscribed>('Subscribe', channel)).position
}

/** Waits until every client has received just this. */
async function allHave(expected: number[]): Promise<void> {
  for (const [name, data] of seen) {
    await until(() => data.length >= expected.length, `${name} gets all`, 30_000).catch(() => undefined)
    expect(data, name).toEqual(expected)
  }
}

const mayBeMissing = process.env['TIDINGS_ALL_TESTS'] !== '1'

test.skipIf(!isThere && mayBeMissing)(
  'When their node is killed, the clients of every protocol get on the other node what they missed',
  async () => {
    const [first, second] = nodes as [Server, Server]
    await Promise.all([
      plainWebSocket(),
      eventSource(),
      longPolling(),
      ...sockets.ways.map(async ([way, transports]) => await socketIo(way, transports)),
      olderSocketIo(),
      pusher(),
      echo(),
      ...ways.map(async ([way, options]) => await signalR(way, options)),
    ])
    await first.publish(channel, 'entry', 1)
    await allHave([1])

    await first.kill()
    balancer.turnTo(0)
    const killedAt = Date.now()
    for (const entry of [2, 3, 4]) await second.publish(channel, 'entry', entry)
    // A stock pusher-js can't say what it saw last: it gets what a node left behind that has given no sign of life for three seconds.
    await until(() => Date.now() - killedAt > 4_000, 'the other node knows that the first is dead')
    balancer.turnTo(second.port)
    await allHave([1, 2, 3, 4])
    await second.publish(channel, 'entry', 5)
    await allHave([1, 2, 3, 4, 5])
  },
  120_000,
)

test.skipIf(!isThere && mayBeMissing)(
  'When their node is stopped in good order, they move to the other one and miss nothing',
  async () => {
    const [first, second] = nodes as [Server, Server]
    await first.restart()
    balancer.sendTo(first.port)
    const stopping = second.stop()
    for (const entry of [6, 7, 8]) await first.publish(channel, 'entry', entry)
    await stopping
    await allHave([1, 2, 3, 4, 5, 6, 7, 8])
    await first.publish(channel, 'entry', 9)
    await allHave([1, 2, 3, 4, 5, 6, 7, 8, 9])
  },
  120_000,
)
