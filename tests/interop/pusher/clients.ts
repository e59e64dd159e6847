import PusherJs from 'pusher-js'
import type { Options } from 'pusher-js'
import Pusher from 'pusher'
import { app, token, type Server, until } from '../server'

export type Client = PusherJs

const open: Client[] = []

/** A pusher-js of a user, who is asked for by our own auth endpoint; of nobody if there is no user. */
export function client(server: Server, user?: string, more: Partial<Options> = {}): Client {
  const headers = user ? { authorization: `Bearer ${token(user)}` } : {}
  const made = new PusherJs(app.key, {
    cluster: '',
    wsHost: '127.0.0.1',
    wsPort: server.port,
    forceTLS: false,
    enabledTransports: ['ws'],
    channelAuthorization: { endpoint: `${server.url}/api/pusher/auth`, transport: 'ajax', headers },
    userAuthentication: { endpoint: `${server.url}/api/pusher/user-auth`, transport: 'ajax', headers },
    ...more,
  })
  open.push(made)
  return made
}

/** The host app's own auth endpoint, by the official server library: it lets in whom the test says. */
export function hostAuth(server: Server, member?: { user_id: string; user_info?: object }): Partial<Options> {
  const library = backend(server)
  return {
    channelAuthorization: {
      transport: 'ajax',
      endpoint: 'unused',
      customHandler: ({ socketId, channelName }, done) => done(null, library.authorizeChannel(socketId, channelName, member)),
    },
  }
}

/** The official server library. */
export function backend(server: Server, more: object = {}): Pusher {
  return new Pusher({ appId: app.id, key: app.key, secret: app.secret, host: '127.0.0.1', port: String(server.port), useTLS: false, ...more })
}

export async function connected(pusher: Client): Promise<Client> {
  await until(() => pusher.connection.state === 'connected', 'it is connected')
  return pusher
}

/** Subscribes and waits for the answer. */
export async function subscribed(pusher: Client, name: string) {
  const channel = pusher.subscribe(name)
  await new Promise<void>((done, fail) => {
    channel.bind('pusher:subscription_succeeded', () => done())
    channel.bind('pusher:subscription_error', (error: unknown) => fail(new Error(JSON.stringify(error))))
  })
  return channel
}

/** What a refused subscription says. */
export async function refused(pusher: Client, name: string): Promise<{ status?: number; type?: string; error?: string }> {
  const channel = pusher.subscribe(name)
  return await new Promise((done, fail) => {
    channel.bind('pusher:subscription_error', done)
    channel.bind('pusher:subscription_succeeded', () => fail(new Error(`${name} was let in`)))
  })
}

/** The codes of the errors that a client hears of from now on. */
export function codesOf(pusher: Client): (number | undefined)[] {
  const codes: (number | undefined)[] = []
  pusher.connection.bind('error', (error: { data?: { code?: number }; error?: { data?: { code?: number } } }) =>
    codes.push(error.data?.code ?? error.error?.data?.code),
  )
  return codes
}

export function disconnectAll(): void {
  for (const each of open.splice(0)) each.disconnect()
}
