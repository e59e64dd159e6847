import { RecentIds } from '../RecentIds.ts';
import type { Attached, ChannelWish, ClosedReason } from '../transports/Transport.ts';
import type { EventHandler, TidingsEvent } from '../types.ts';
import type { SubscribeOptions } from './Subscription.ts';

/** A handler of a channel; each drops what it has had before, so that a replay for one does not repeat events for the others. */
export interface Member {
  readonly handle: EventHandler;
  readonly options: SubscribeOptions;
  readonly seen: RecentIds;
}

/** What a change asks of the transport. */
export type WireChange = 'none' | 'subscribe' | 'resubscribe';

/**
 * All handlers of one channel, which share one subscription on the wire.
 *
 * A handler that joins with a `since` of its own rewinds the shared subscription: it is entered again from there, and the others drop
 * what they know. Positions can't be compared, so while a rewind is on its way there is no telling which place is the older one; if
 * the connection is lost just then, everybody is told to fetch again.
 */
export class ChannelSubscription {
  readonly channel: string;
  readonly members = new Set<Member>();
  position: string | undefined;
  readonly #guard: (call: () => void) => void;
  readonly #owed: string[] = [];
  #wire: 'none' | 'asked' | 'attached' = 'none';
  #hasBeenAttached = false;
  #isReentering = false;
  #owesPresence = false;

  /** `guard` runs a call into the application and reports what it throws. */
  constructor(channel: string, guard: (call: () => void) => void) {
    this.channel = channel;
    this.#guard = guard;
  }

  wish(): ChannelWish {
    const options = [...this.members].map((member) => member.options);
    const token = options.findLast((each) => each.token !== undefined)?.token;
    return {
      channel: this.channel,
      ...(this.position !== undefined && { since: this.position }),
      ...(options.some((each) => each.presence === true) && { presence: true }),
      ...(token !== undefined && { token }),
    };
  }

  /** Nobody has told the server of it yet. */
  get isIdle(): boolean {
    return this.#wire === 'none';
  }

  /** The wish is on its way. */
  asked(): void {
    this.#wire = 'asked';
  }

  join(member: Member): WireChange {
    const { since, presence, onSubscribed } = member.options;
    const becomesPresent = presence === true && ![...this.members].some((each) => each.options.presence === true);
    if (this.#wire !== 'none' && becomesPresent) this.#owesPresence = true;
    const isFirst = this.members.size === 0;
    this.members.add(member);
    if (since !== undefined && since !== this.position) {
      if (this.position === undefined && this.#wire === 'none') this.position = since;
      else this.#owed.push(since);
    }
    if (isFirst) return 'subscribe';
    if (this.#wire !== 'attached') return 'none';
    if (this.#reenter()) return 'resubscribe';
    if (onSubscribed !== undefined) queueMicrotask(() => this.members.has(member) && this.#guard(() => onSubscribed(this.#info({}))));
    return 'none';
  }

  attached(info: Attached): WireChange {
    const hasMissed = info.recovered === false || (info.recovered === undefined && this.#hasBeenAttached && !this.#isReentering);
    // A replay that is cut short goes on from where it began, not from the head that the answer names.
    this.position = info.recovered === true ? (info.replayFrom ?? this.position ?? info.position) : (info.position ?? this.position);
    this.#wire = 'attached';
    this.#hasBeenAttached = true;
    this.#isReentering = false;
    for (const { options } of [...this.members]) this.#guard(() => options.onSubscribed?.(this.#info(info)));
    if (hasMissed) this.gap();
    return this.#reenter() ? 'resubscribe' : 'none';
  }

  deliver(event: TidingsEvent): void {
    // While the channel is entered again, events of the former subscription still come; they are delivered, but the place is a given one.
    if (event.position !== undefined && !this.#isReentering) this.position = event.position;
    this.pass(event);
  }

  /** Hands an event to the handlers without taking its position. */
  pass(event: TidingsEvent): void {
    for (const member of [...this.members])
      if (this.members.has(member) && member.seen.add(event.id)) this.#guard(() => member.handle(event));
  }

  gap(): void {
    for (const { options } of [...this.members]) this.#guard(() => options.onGap?.());
  }

  closed(reason: ClosedReason): void {
    const members = [...this.members];
    this.members.clear();
    for (const { options } of members) this.#guard(() => options.onClosed?.(reason));
  }

  connectionEnded(): void {
    this.#wire = 'none';
    this.#owesPresence = false; // the next wish carries it
    if (!this.#isReentering) return;
    this.#isReentering = false;
    this.gap();
  }

  /** Whether the channel has to be entered again: from a place that a late handler named, or as a visible member. */
  #reenter(): boolean {
    const since = this.#owed.shift();
    if (since === undefined && !this.#owesPresence) return false;
    if (since !== undefined) this.position = since;
    this.#owesPresence = false;
    this.#isReentering = true;
    return true;
  }

  #info({ recovered }: Attached): { position?: string; recovered?: boolean } {
    return { ...(this.position !== undefined && { position: this.position }), ...(recovered !== undefined && { recovered }) };
  }
}
