import type { ClosedReason } from '../transports/Transport.ts';

/** What `subscribe` may be told. */
export interface SubscribeOptions {
  /** A position from a REST page: every event after it is delivered. */
  readonly since?: string;
  /** Be a visible member of the channel, and get the events of its members. */
  readonly presence?: boolean;
  /** For a channel with `Access=token`; carried by WebSocket only. */
  readonly token?: string;
  /** The channel is attached, at first and again after each reconnect. Missed events come after it. */
  readonly onSubscribed?: (info: { position?: string; recovered?: boolean }) => void;
  /** Events were lost beyond recovery: fetch again what they would have told. */
  readonly onGap?: () => void;
  /** The server refused the channel or took it away; this subscription is over. */
  readonly onClosed?: (reason: ClosedReason) => void;
}

/** One handler's interest in a channel. */
export interface Subscription {
  readonly channel: string;
  /** The last position seen, to be handed back as `since` later. */
  readonly position: string | undefined;
  unsubscribe(): void;
}
