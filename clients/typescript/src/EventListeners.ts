import { Listeners } from './Listeners.ts';
import { RecentIds } from './RecentIds.ts';
import type { EventHandler, TidingsEvent } from './types.ts';

/** How many ids are kept to tell repeats from news, over all channels together. */
const memory = 5_000;

/** Those who want every event of a type, whatever its channel. */
export class EventListeners {
  readonly #byType = new Map<string, Listeners<TidingsEvent>>();
  readonly #seen = new RecentIds(memory);
  readonly #reportError: (error: unknown) => void;

  constructor(reportError: (error: unknown) => void) {
    this.#reportError = reportError;
  }

  add(type: string, handler: EventHandler): () => void {
    const listeners = this.#byType.get(type) ?? new Listeners(this.#reportError);
    this.#byType.set(type, listeners);
    const remove = listeners.add(handler);
    return () => {
      remove();
      if (listeners.size === 0 && this.#byType.get(type) === listeners) this.#byType.delete(type);
    };
  }

  /** A repeat of an event in the same channel is dropped; the same event in two channels is two. */
  emit(event: TidingsEvent): void {
    if (this.#seen.add(event.id && `${event.channel ?? ''} ${event.id}`)) this.#byType.get(event.type)?.emit(event);
  }
}
