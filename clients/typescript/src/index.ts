export { TidingsClient, type HistoryPage } from './TidingsClient.ts';
export type { TidingsClientOptions } from './TidingsClientOptions.ts';
export { TidingsError } from './TidingsError.ts';
export type { Environment } from './browserEnvironment.ts';
export type { ConnectionState, TransportName } from './connection/ConnectionState.ts';
export type { TokenOption } from './connection/TokenSource.ts';
export type { SubscribeOptions, Subscription } from './subscriptions/Subscription.ts';
export type { ClosedReason } from './transports/Transport.ts';
export type * from './types.ts';
