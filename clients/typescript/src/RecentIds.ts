import { BoundedMap } from './BoundedMap.ts';

/** Tells a repeated event from a new one: only a replay repeats, and never further back than the history reaches. */
export class RecentIds {
  readonly #ids: BoundedMap<string, true>;

  constructor(limit = 1_000) {
    this.#ids = new BoundedMap(limit);
  }

  /** True when the id is new. What has no id can't be told apart and counts as new. */
  add(id: string | undefined): boolean {
    if (id === undefined || id === '') return true;
    if (this.#ids.has(id)) return false;
    this.#ids.set(id, true);
    return true;
  }
}
