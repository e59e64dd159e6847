import { RecentIds } from '../RecentIds.ts';
import type { Attached, ChannelWish, ClosedReason } from '../transports/Transport.ts';
import type { EventHandler, TidingsEvent } from '../types.ts';
import { ChannelSubscription, type Member, type WireChange } from './ChannelSubscription.ts';
import type { SubscribeOptions, Subscription } from './Subscription.ts';

/** What the subscriptions ask of the transport of the moment. */
export interface Wire {
  /** False when there is no connection: the next one asks for all wishes itself. */
  subscribe(wish: ChannelWish): boolean;
  unsubscribe(channel: string): void;
  resubscribe(wish: ChannelWish): void;
}

/** All channels of a client, across its connections. */
export class Subscriptions {
  readonly #channels = new Map<string, ChannelSubscription>();
  readonly #wire: Wire;
  readonly #guard: (call: () => void) => void;

  constructor(wire: Wire, reportError: (error: unknown) => void) {
    this.#wire = wire;
    this.#guard = (call) => {
      try {
        call();
      } catch (error) {
        reportError(error);
      }
    };
  }

  add(channel: string, handle: EventHandler, options: SubscribeOptions): Subscription {
    const shared = this.#channels.get(channel) ?? new ChannelSubscription(channel, this.#guard);
    this.#channels.set(channel, shared);
    const member: Member = { handle, options, seen: new RecentIds() };
    this.#carryOut(shared.join(member), shared);
    return {
      channel,
      get position() {
        return shared.position;
      },
      unsubscribe: () => {
        if (!shared.members.delete(member) || shared.members.size > 0) return;
        this.#channels.delete(channel);
        this.#wire.unsubscribe(channel);
      },
    };
  }

  /** For a transport that is about to send them. */
  wishes(): ChannelWish[] {
    return [...this.#channels.values()].map((shared) => {
      if (shared.isIdle) shared.asked();
      return shared.wish();
    });
  }

  attached(channel: string, info: Attached): void {
    const shared = this.#channels.get(channel);
    if (shared !== undefined) this.#carryOut(shared.attached(info), shared);
  }

  /** An event from the server: it moves the channel's position. */
  deliver(event: TidingsEvent): void {
    if (event.channel !== undefined) this.#channels.get(event.channel)?.deliver(event);
  }

  /** An event that the host feeds by hand. */
  pass(event: TidingsEvent): void {
    if (event.channel !== undefined) this.#channels.get(event.channel)?.pass(event);
  }

  gap(channels: readonly string[]): void {
    for (const channel of channels) this.#channels.get(channel)?.gap();
  }

  closed(channel: string, reason: ClosedReason): void {
    const shared = this.#channels.get(channel);
    if (shared === undefined) return;
    this.#channels.delete(channel);
    this.#wire.unsubscribe(channel);
    shared.closed(reason);
  }

  connectionEnded(): void {
    for (const shared of [...this.#channels.values()]) shared.connectionEnded();
  }

  #carryOut(change: WireChange, shared: ChannelSubscription): void {
    if (change === 'subscribe' && this.#wire.subscribe(shared.wish())) shared.asked();
    if (change === 'resubscribe') {
      this.#wire.resubscribe(shared.wish());
      shared.asked();
    }
  }
}
