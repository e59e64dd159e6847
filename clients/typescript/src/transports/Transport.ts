import type { TransportName } from '../connection/ConnectionState.ts';
import type { TidingsEvent } from '../types.ts';

/** A channel that the application wants, and from where on. */
export interface ChannelWish {
  readonly channel: string;
  readonly since?: string;
  readonly presence?: boolean;
  /** For a channel with `Access=token`; WebSocket only. */
  readonly token?: string;
}

/** The server's word that a channel is attached. Missed events, if any, come after it. */
export interface Attached {
  /** The head of the channel at that moment. */
  readonly position?: string;
  /** True: what was missed follows. False: it can't. Absent: nothing was asked for. */
  readonly recovered?: boolean;
  /** What the replay that follows starts from: until its events arrive, that is the place to resume from, not `position`. */
  readonly replayFrom?: string;
}

/** Why a channel was refused or taken away. */
export interface ClosedReason {
  readonly code: string;
  readonly message: string;
}

/** An answer to a command. */
export type Reply = Readonly<Record<string, unknown>>;

/**
 * One attempt at a connection, from `open` to its end; a new attempt is a new object.
 * After `close()` or `host.ended()` it calls nobody any more.
 */
export interface Transport {
  readonly name: TransportName;
  open(token: string | null): void;
  close(): void;
  /** Whether the wish is on its way; otherwise `host.wishes()` will be asked once the connection is open. */
  subscribe(wish: ChannelWish): boolean;
  unsubscribe(channel: string): void;
  /** Leaves and enters again, from `wish.since` on, with nothing lost in between. */
  resubscribe(wish: ChannelWish): void;
  renew(token: string): void;
  /** The link may be dead (the page was asleep, the network changed): find out soon. */
  check(): void;
  /** Sends a command and waits for its answer; absent where the transport has no way up. */
  request?(command: { type: string; [field: string]: unknown }): Promise<Reply>;
}

/** Whom a transport reports to. */
export interface TransportHost {
  /** All that is wanted, for sending it now. */
  wishes(): readonly ChannelWish[];
  /** May be called again when more is known. */
  opened(connection: { connectionId: string | null; userId: string | null }): void;
  /** `timedOut`: there was no answer at all. */
  ended(code: number, reason: string, timedOut?: boolean): void;
  received(event: TidingsEvent): void;
  attached(channel: string, info: Attached): void;
  refused(channel: string, reason: ClosedReason): void;
  /** Events of these channels are lost: what they tell must be fetched. */
  gap(channels: readonly string[]): void;
  tokenExpiring(): void;
}
