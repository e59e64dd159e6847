// Runs in a browser, on a page of another origin than the server's: a whole session of each official client, or of the browser's own.
/* global io, Echo, Pusher, signalR */
'use strict'

const { server, key } = fetchNow('/settings')
const ledger = 'ledger:1'

function fetchNow(path) {
  const request = new XMLHttpRequest()
  request.open('GET', path, false)
  request.send()
  return JSON.parse(request.responseText)
}

const report = (path, what) => fetch(path, { method: 'POST', body: JSON.stringify(what) })
const tokenOf = (user, seconds = 3_600) => fetchNow(`/token?user=${user}&seconds=${seconds}`)
const pusherNameOf = (channel, prefix = 'private') => `${prefix}-${channel.replace(':', '-')}`
const soon = (action) => setTimeout(action, 100 + Math.random() * 100)

/** The native protocol: the page asks for what it missed itself, by the last position. */
function webSocket(token) {
  const handlers = {}
  const waiting = new Map()
  const joined = new Map()
  let [next, socket, isClosed] = [1, undefined, false]
  const ask = (message) =>
    new Promise((done) => {
      const id = next++
      waiting.set(id, done)
      socket.send(JSON.stringify({ ...message, id }))
    })
  let ended
  const client = { on: (event, handle) => (handlers[event] = handle), ended: new Promise((done) => (ended = done)) }
  const connect = () =>
    new Promise((done) => {
      socket = new WebSocket(`${server.replace('http', 'ws')}/ws?token=${token}`)
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(data)
        if (message.type === 'connected') {
          done()
          for (const [channel, since] of joined) void ask({ type: 'subscribe', channel, since })
        }
        if (message.position && joined.has(message.channel)) joined.set(message.channel, message.position)
        waiting.get(message.id)?.(message)
        waiting.delete(message.id)
        handlers[message.type]?.(message.data)
      }
      socket.onclose = ({ code, reason }) => {
        ended(`${code} ${reason}`)
        if (!isClosed && code !== 4401) soon(connect)
      }
    })
  return Object.assign(client, {
    ready: connect(),
    async subscribe(channel) {
      const answer = await ask({ type: 'subscribe', channel, presence: channel.startsWith('room') || undefined })
      if (answer.type === 'subscribed') joined.set(channel, answer.position)
      return answer.code ?? 'ok'
    },
    publish: async (channel, event, data) => (await ask({ type: 'publish', channel, event, data })).code ?? 'ok',
    presence: async (channel) => (await ask({ type: 'presence', channel })).members.map((member) => member.userId),
    close: () => {
      isClosed = true
      socket.close()
    },
  })
}

function eventSource(token) {
  const handlers = {}
  let [source, ended] = []
  const ends = new Promise((done) => (ended = done))
  return {
    ready: Promise.resolve(),
    on: (event, handle) => (handlers[event] = handle),
    ended: ends,
    subscribe: (channel) =>
      new Promise((done) => {
        const stream = new EventSource(`${server}/sse?channels=${channel}&token=${token}`)
        stream.addEventListener('subscribed', () => {
          source = stream
          done('ok')
        })
        stream.onerror = () => stream.readyState === EventSource.CLOSED && done('forbidden')
        stream.addEventListener('closing', ({ data }) => ended(JSON.parse(data).reason))
        for (const [event, handle] of Object.entries(handlers)) stream.addEventListener(event, ({ data }) => handle(JSON.parse(data).data))
      }),
    close: () => source?.close(),
  }
}

const socketIo = (transports) => (token) => {
  const socket = io(server, { transports, forceNew: true, auth: { token }, reconnectionDelay: 100, reconnectionDelayMax: 300 })
  const codeOf = (answer) => (answer.ok ? 'ok' : answer.error.code)
  return {
    ready: new Promise((done) => socket.once('connect', done)),
    on: (event, handle) => socket.on(event, (data) => handle(data)),
    ended: new Promise((done) => socket.on('disconnect', done)),
    subscribe: async (channel) => codeOf(await socket.emitWithAck('subscribe', channel, { presence: channel.startsWith('room') || undefined })),
    publish: async (channel, event, data) => codeOf(await socket.emitWithAck('publish', channel, event, data)),
    presence: async (channel) => (await socket.emitWithAck('presence', channel)).members.map((member) => member.userId),
    close: () => socket.disconnect(),
  }
}

/** A stock pusher-js, which cannot say what it saw last. It is told a channel's members with the subscription. */
function newPusher(token) {
  const { hostname, port } = new URL(server)
  const headers = { authorization: `Bearer ${token}` }
  return new Pusher(key, {
    cluster: '',
    wsHost: hostname,
    wsPort: Number(port),
    forceTLS: false,
    enabledTransports: ['ws'],
    channelAuthorization: { endpoint: `${server}/api/pusher/auth`, transport: 'ajax', headers },
    userAuthentication: { endpoint: `${server}/api/pusher/user-auth`, transport: 'ajax', headers },
  })
}

const endOf = (pusher) =>
  new Promise((done) => pusher.connection.bind('state_change', ({ previous, current }) => previous === 'connected' && done(`connected, then ${current}`)))

function pusherJs(token) {
  const pusher = newPusher(token)
  const nameOf = (channel) => pusherNameOf(channel, channel.startsWith('room') ? 'presence' : 'private')
  const handlers = {}
  pusher.bind_global((event, data) => handlers[event]?.(data))
  return {
    ready: new Promise((done) => pusher.connection.bind('connected', done)),
    on: (event, handle) => (handlers[event] = handle),
    ended: endOf(pusher),
    subscribe: (channel) =>
      new Promise((done) => {
        const subscription = pusher.subscribe(nameOf(channel))
        subscription.bind('pusher:subscription_succeeded', () => done('ok'))
        subscription.bind('pusher:subscription_error', ({ status }) => done(status === 403 ? 'forbidden' : String(status)))
      }),
    publish: async (channel, event, data) => (pusher.channel(nameOf(channel)).trigger(event, data) ? 'ok' : 'not sent'),
    presence: async (channel) => Object.keys(pusher.channel(nameOf(channel)).members.members),
    close: () => pusher.disconnect(),
  }
}

/** Laravel Echo over a stock pusher-js; a whisper is a client event whose name it completes. */
function laravelEcho(token) {
  const pusher = newPusher(token)
  const echo = new Echo.default({ broadcaster: 'pusher', client: pusher, key })
  const handlers = {}
  const joined = {}
  return {
    ready: new Promise((done) => pusher.connection.bind('connected', done)),
    on: (event, handle) => (handlers[event] = handle),
    ended: endOf(pusher),
    subscribe: (channel) =>
      new Promise((done) => {
        const name = channel.replace(':', '-')
        const made = channel.startsWith('room') ? echo.join(name) : echo.private(name)
        joined[channel] = made
        for (const [event, handle] of Object.entries(handlers)) made.listen(`.${event}`, handle)
        made.subscribed(() => done('ok'))
        made.error(({ status }) => done(status === 403 ? 'forbidden' : String(status)))
      }),
    publish: async (channel, event, data) => {
      joined[channel].whisper(event.replace('client-', ''), data)
      return 'ok'
    },
    presence: async (channel) => Object.keys(joined[channel].subscription.members.members),
    close: () => echo.disconnect(),
  }
}

const hub = (transport, protocol) => (token) => {
  const builder = new signalR.HubConnectionBuilder()
    .withUrl(`${server}/hubs/tidings`, { transport, accessTokenFactory: () => token })
    .withAutomaticReconnect({ nextRetryDelayInMilliseconds: () => 200 })
  if (protocol) builder.withHubProtocol(protocol)
  const connection = builder.configureLogging(signalR.LogLevel.None).build()
  const joined = new Map()
  const outcome = (call) => call.then(() => 'ok', (error) => /(\w+): /.exec(error.message.replace(/^.*HubException: /, ''))?.[1] ?? error.message)
  let ended
  const ends = new Promise((done) => (ended = done))
  connection.on('receive', (event) => event.position && joined.has(event.channel) && joined.set(event.channel, event.position))
  connection.onclose((error) => ended(/4401 token_expired/.exec(String(error))?.[0] ?? String(error)))
  connection.onreconnecting((error) => ended(/4401 token_expired/.exec(String(error))?.[0] ?? String(error)))
  connection.onreconnected(async () => {
    for (const [channel, since] of joined) await connection.invoke('Subscribe', channel, since)
  })
  return {
    ready: connection.start(),
    on: (event, handle) => connection.on(event, handle),
    ended: ends,
    subscribe: (channel) =>
      outcome(connection.invoke('Subscribe', channel, null, channel.startsWith('room') ? true : null).then(({ position }) => joined.set(channel, position))),
    publish: (channel, event, data) => outcome(connection.invoke('Publish', channel, event, data)),
    presence: async (channel) => (await connection.invoke('Presence', channel)).members.map((member) => member.userId),
    close: () => void connection.stop(),
  }
}

const clients = {
  WebSocket: webSocket,
  EventSource: eventSource,
  'socket.io-client polling': socketIo(['polling']),
  'socket.io-client websocket': socketIo(['websocket']),
  'socket.io-client upgrade': socketIo(['polling', 'websocket']),
  'pusher-js': pusherJs,
  'laravel-echo': laravelEcho,
  'SignalR WebSockets': hub(signalR.HttpTransportType.WebSockets),
  'SignalR Server-Sent Events': hub(signalR.HttpTransportType.ServerSentEvents),
  'SignalR long polling': hub(signalR.HttpTransportType.LongPolling),
  'SignalR MessagePack': hub(signalR.HttpTransportType.WebSockets, new signalR.protocols.msgpack.MessagePackHubProtocol()),
}

/** What one client may and may not do, beside a second one of its kind. */
async function meet(name, connect) {
  const mark = name.replaceAll(/[^A-Za-z]/g, '')
  const [room, wave] = [`room:${mark}`, 'client-wave']
  const result = {}
  const one = connect(tokenOf(`${mark}-one`))
  await one.ready
  result.forbidden = await one.subscribe('user:somebody')
  if (one.publish) {
    const two = connect(tokenOf(`${mark}-two`))
    await two.ready
    const heard = new Promise((done) => one.on(wave, done))
    result.subscribed = [await one.subscribe(room), await two.subscribe(room)]
    result.presence = (await two.presence(room)).map((user) => user.replace(`${mark}-`, '')).sort()
    result.published = await two.publish(room, wave, { by: 'two', 'é"\\': [1, null] })
    result.heard = await heard
    if (name.startsWith('socket.io')) result.binary = await two.publish(room, 'file', new Uint8Array([1, 2, 3]))
    two.close()
  }

  one.close()
  return result
}

/** Reads the ledger, and says so when it has all of it. */
async function follow(connect, count, mark) {
  const entries = []
  const client = connect(tokenOf(mark))
  let all
  const done = new Promise((fulfil) => (all = fulfil))
  client.on('entry', (entry) => {
    if (!entries.includes(entry)) entries.push(entry) // who can't say what it saw last may get one again, with the same id
    if (entries.length === count) all(entries)
  })
  await client.ready
  const answer = await client.subscribe(ledger)
  if (answer !== 'ok') throw new Error(`the ledger: ${answer}`)
  return { client, done }
}

async function expire(connect, mark) {
  const client = connect(tokenOf(mark, 3))
  await client.ready
  await client.subscribe('feed:' + mark)
  const end = await client.ended
  client.close()
  return end
}

const forAll = async (run) => {
  const results = await Promise.all(
    Object.entries(clients).map(async ([name, connect]) => {
      try {
        return [name, await run(name, connect)]
      } catch (error) {
        throw new Error(`${name}: ${error.message ?? JSON.stringify(error)}`)
      }
    }),
  )
  return Object.fromEntries(results)
}

async function run() {
  await report('/met', await forAll(meet))
  const readers = await forAll((name, connect) => follow(connect, 4, name.replaceAll(/[^A-Za-z]/g, '')))
  await report('/following', true)
  const seen = {}
  await forAll(async (name) => (seen[name] = await readers[name].done))
  for (const { client } of Object.values(readers)) client.close()
  await report('/recovered', seen)
  await report('/expired', await forAll((name, connect) => expire(connect, name.replaceAll(/[^A-Za-z]/g, ''))))
}

run().catch((error) => report('/failed', String(error.message ?? error)))
