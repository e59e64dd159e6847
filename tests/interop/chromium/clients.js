// Runs in a browser, on a page of another origin than the server's. Every client is the official one, or the browser's own.
/* global io, Pusher, signalR */
'use strict'

const { server, key, token, channel, count } = readSettings()
const separator = channel.indexOf(':')
const pusherName = `private-${channel.slice(0, separator)}-${channel.slice(separator + 1)}`
const seen = {}
const refused = {}

function readSettings() {
  const request = new XMLHttpRequest()
  request.open('GET', '/settings', false)
  request.send()
  return JSON.parse(request.responseText)
}

const report = (path, what) => fetch(path, { method: 'POST', body: JSON.stringify(what) })

function take(name, event) {
  const events = (seen[name] ??= [])
  events.push({ id: event.id, position: event.position, text: event.post.content.text })
  if (Object.values(seen).every((each) => each.length === count) && Object.keys(seen).length === Object.keys(clients).length) void report('/seen', seen)
}

/** Each connects and subscribes, and says so by its promise. */
const clients = {
  WebSocket: () =>
    new Promise((done) => {
      const socket = new WebSocket(`${server.replace('http', 'ws')}/ws?token=${token}`)
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(data)
        if (message.type === 'connected') socket.send(JSON.stringify({ type: 'subscribe', id: 1, channel }))
        if (message.type === 'subscribed' && message.id === 1) done()
        if (message.type === 'post_created') take('WebSocket', message)
      }
    }),

  EventSource: () =>
    new Promise((done) => {
      const source = new EventSource(`${server}/sse?channels=${channel}&token=${token}`)
      source.addEventListener('subscribed', done)
      source.addEventListener('post_created', ({ data }) => take('EventSource', JSON.parse(data)))
    }),

  'socket.io-client polling': () => socketIo('socket.io-client polling', ['polling']),
  'socket.io-client websocket': () => socketIo('socket.io-client websocket', ['websocket']),
  'socket.io-client upgrade': () => socketIo('socket.io-client upgrade', ['polling', 'websocket']),

  'pusher-js': () =>
    new Promise((done, fail) => {
      const { hostname, port } = new URL(server)
      const pusher = new Pusher(key, {
        cluster: '',
        wsHost: hostname,
        wsPort: Number(port),
        forceTLS: false,
        enabledTransports: ['ws'],
        channelAuthorization: { endpoint: `${server}/api/pusher/auth`, transport: 'ajax', headers: { authorization: `Bearer ${token}` } },
      })
      const subscription = pusher.subscribe(pusherName)
      subscription.bind('pusher:subscription_succeeded', done)
      subscription.bind('pusher:subscription_error', fail)
      subscription.bind('post_created', (event) => take('pusher-js', event))
    }),

  'SignalR WebSockets': () => hub('SignalR WebSockets', signalR.HttpTransportType.WebSockets),
  'SignalR Server-Sent Events': () => hub('SignalR Server-Sent Events', signalR.HttpTransportType.ServerSentEvents),
  'SignalR long polling': () => hub('SignalR long polling', signalR.HttpTransportType.LongPolling),
  'SignalR MessagePack': () => hub('SignalR MessagePack', signalR.HttpTransportType.WebSockets, new signalR.protocols.msgpack.MessagePackHubProtocol()),
}

async function socketIo(name, transports) {
  const socket = io(server, { transports, forceNew: true, auth: { token } })
  socket.on('post_created', (event) => take(name, event))
  await new Promise((done) => socket.on('connect', done))
  const answer = await socket.emitWithAck('subscribe', channel)
  if (!answer.ok) throw new Error(JSON.stringify(answer))
}

async function hub(name, transport, protocol) {
  const builder = new signalR.HubConnectionBuilder().withUrl(`${server}/hubs/tidings`, { transport, accessTokenFactory: () => token })
  if (protocol) builder.withHubProtocol(protocol)
  const connection = builder.configureLogging(signalR.LogLevel.None).build()
  connection.on('post_created', (event) => take(name, event))
  await connection.start()
  await connection.invoke('Subscribe', channel)
}

/** What each tells of a token that is not accepted. */
const refusals = {
  WebSocket: () =>
    new Promise((done) => {
      new WebSocket(`${server.replace('http', 'ws')}/ws?token=bad`).onclose = ({ code, reason }) => done(`${code} ${reason}`)
    }),
  EventSource: () =>
    new Promise((done) => {
      const source = new EventSource(`${server}/sse?channels=${channel}&token=bad`)
      source.onerror = () => done(source.readyState === EventSource.CLOSED ? 'closed' : 'comes back')
    }),
  'socket.io-client': () =>
    new Promise((done) => {
      io(server, { forceNew: true, auth: { token: 'bad' } }).on('connect_error', (error) => done(error.message))
    }),
  'SignalR WebSockets': () =>
    new signalR.HubConnectionBuilder()
      .withUrl(`${server}/hubs/tidings`, { accessTokenFactory: () => 'bad' })
      .configureLogging(signalR.LogLevel.None)
      .build()
      .start()
      .then(() => 'connected', (error) => (error.message.includes('401') ? '401' : error.message)),
}

async function run() {
  for (const [name, refusal] of Object.entries(refusals)) refused[name] = await refusal()
  await Promise.all(Object.entries(clients).map(([name, connect]) => connect().catch((error) => Promise.reject(new Error(`${name}: ${error.message ?? JSON.stringify(error)}`)))))
  await report('/ready', refused)
}

run().catch((error) => report('/failed', String(error.message ?? error)))
