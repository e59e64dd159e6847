import { HttpTransportType, type HubConnection, HubConnectionBuilder, type IHubProtocol, LogLevel } from '@microsoft/signalr'
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack'
import type { Server } from '../server'

/** An event as `receive` brings it. */
export interface Event {
  type: string
  channel: string
  position?: string
  id: string
  post?: { id: string }
  data?: unknown
  [field: string]: unknown
}

/** What Subscribe answers. */
export interface Subscribed {
  channel: string
  position: string
  recovered?: boolean
}

/** The ways in which the official client comes: carrier and protocol. */
export const ways = [
  ['WebSockets', { transport: HttpTransportType.WebSockets }],
  ['Server-Sent Events', { transport: HttpTransportType.ServerSentEvents }],
  ['long polling', { transport: HttpTransportType.LongPolling }],
  ['WebSockets in MessagePack', { transport: HttpTransportType.WebSockets, protocol: new MessagePackHubProtocol() }],
  ['long polling in MessagePack', { transport: HttpTransportType.LongPolling, protocol: new MessagePackHubProtocol() }],
] as const

/** The official client, as an app would build it. */
export function build(
  server: Server,
  accessTokenFactory: () => string,
  options: { transport?: HttpTransportType; query?: string; protocol?: IHubProtocol; reconnects?: boolean } = {},
): HubConnection {
  const builder = new HubConnectionBuilder()
    .withUrl(`${server.url}/hubs/tidings${options.query ?? ''}`, { transport: options.transport ?? HttpTransportType.WebSockets, accessTokenFactory })
    .configureLogging(LogLevel.None)
  if (options.protocol) builder.withHubProtocol(options.protocol)
  if (options.reconnects) builder.withAutomaticReconnect({ nextRetryDelayInMilliseconds: () => 50 })
  return builder.build()
}

/** Everything of one type that a hub receives, in its order. */
export function collect(hub: HubConnection, type: string): Event[] {
  const events: Event[] = []
  hub.on('receive', (event: Event) => {
    if (event.type === type) events.push(event)
  })
  return events
}
