import { explain } from '../../api/ApiError';
import { setFollowing, type Creator } from '../../api/creators';
import { Observable } from '../../app/Observable';
import type { Toasts } from '../../app/Toasts';

/** Whom the reader follows, as far as the page has asked. A click shows at once and is taken back if the server refuses. */
export class Follows {
  readonly #entries = new Map<string, Observable<boolean>>();
  readonly #toasts: Toasts;
  readonly #changed: () => void;
  readonly #send: typeof setFollowing;

  /** `changed` is called when the server has taken a follow or an unfollow: the feed is another one now. */
  constructor(toasts: Toasts, changed: () => void, send: typeof setFollowing = setFollowing) {
    this.#toasts = toasts;
    this.#changed = changed;
    this.#send = send;
  }

  of(creatorId: string): Observable<boolean> {
    let entry = this.#entries.get(creatorId);
    if (entry === undefined) this.#entries.set(creatorId, (entry = new Observable(false)));
    return entry;
  }

  learn(creators: readonly Creator[]): void {
    for (const creator of creators) if (creator.isFollowing !== undefined) this.of(creator.id).set(creator.isFollowing);
  }

  async toggle(creator: { id: string; nickname: string }): Promise<void> {
    const entry = this.of(creator.id);
    const follow = !entry.get();
    entry.set(follow);
    try {
      await this.#send(creator.id, follow);
      this.#changed();
    } catch (error) {
      entry.set(!follow);
      this.#toasts.show('error', `${follow ? 'Following' : 'Unfollowing'} @${creator.nickname} failed. ${explain(error)}`);
    }
  }
}
