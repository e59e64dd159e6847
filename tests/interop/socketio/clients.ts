import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import { until, type Server } from '../server'

/** The three ways in which the official client comes. */
export const ways = [
  ['polling only', ['polling']],
  ['websocket only', ['websocket']],
  ['polling, then an upgrade', ['polling', 'websocket']],
] as const

/** Everything that a client received, in order: name and arguments. */
export interface Recorded extends Socket {
  readonly received: [string, ...unknown[]][]
}

/** The official client, unmodified; what it receives is kept. */
export function client(server: Server, transports: readonly string[], options: Partial<ManagerOptions & SocketOptions> = {}): Recorded {
  const socket = io(server.url, {
    transports: [...transports],
    forceNew: true,
    reconnectionDelay: 50,
    reconnectionDelayMax: 200,
    ...options,
  }) as Recorded
  Object.assign(socket, { received: [] })
  socket.onAny((name: string, ...values: unknown[]) => socket.received.push([name, ...values]))
  return socket
}

/** A client that is in the namespace and on the transport that it will stay on. */
export async function connected(server: Server, transports: readonly string[], token: string, options: Partial<ManagerOptions & SocketOptions> = {}): Promise<Recorded> {
  const socket = client(server, transports, { auth: { token }, ...options })
  await until(() => socket.connected && named(socket, 'connected').length > 0, 'the client is connected')
  await until(() => socket.io.engine.transport.name === transports[transports.length - 1], 'it is on its last transport')
  return socket
}

/** The first arguments of the events of a name. */
export function named<T = Record<string, unknown>>(socket: Recorded, name: string): T[] {
  return socket.received.filter(([known]) => known === name).map(([, value]) => value as T)
}

/** What a request is acknowledged with. */
export interface Ack {
  ok: boolean
  error?: { code: string; message: string }
  [field: string]: unknown
}
