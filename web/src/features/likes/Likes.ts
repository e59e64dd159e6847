import type { Post } from '@tidings/client';
import { explain } from '../../api/ApiError';
import { setLiked } from '../../api/posts';
import { Observable } from '../../app/Observable';
import type { Toasts } from '../../app/Toasts';

export interface Like {
  liked: boolean;
  /** Shown instead of the post's own count while a click is on its way, and until a version later than `asOf` brings the count. */
  count: number | null;
  asOf: number;
}

const unknown: Like = { liked: false, count: null, asOf: 0 };

/** What the reader likes. A click shows at once, is sent one request at a time per post, and is taken back if the server refuses. */
export class Likes {
  readonly #entries = new Map<string, Observable<Like>>();
  readonly #onItsWay = new Set<string>();
  /** The latest version of each post that was seen, so that an answer can be told from a later event. */
  readonly #versions = new Map<string, number>();
  readonly #toasts: Toasts;
  readonly #send: typeof setLiked;

  constructor(toasts: Toasts, send: typeof setLiked = setLiked) {
    this.#toasts = toasts;
    this.#send = send;
  }

  of(postId: string): Observable<Like> {
    let entry = this.#entries.get(postId);
    if (entry === undefined) this.#entries.set(postId, (entry = new Observable(unknown)));
    return entry;
  }

  /** What a page of posts said about them. */
  learn(postIds: readonly string[], liked: readonly string[] | undefined): void {
    if (liked === undefined) return;
    const set = new Set(liked);
    for (const id of postIds) if (!this.#onItsWay.has(id)) this.#change(id, { liked: set.has(id) });
  }

  /** What another tab of the same reader did. */
  heard(postId: string, liked: boolean): void {
    if (!this.#onItsWay.has(postId)) this.#change(postId, { liked });
  }

  seen(post: Post): void {
    const version = post.metadata.version;
    if (version > (this.#versions.get(post.id) ?? 0)) this.#versions.set(post.id, version);
    const like = this.of(post.id).get();
    if (like.count !== null && !this.#onItsWay.has(post.id) && version > like.asOf) this.#change(post.id, { count: null });
  }

  toggle(post: Post): void {
    const before = this.of(post.id).get();
    const liked = !before.liked;
    const count = Math.max(0, (before.count ?? post.metadata.likesCount) + (liked ? 1 : -1));
    this.#change(post.id, { liked, count });
    if (!this.#onItsWay.has(post.id)) void this.#settle(post.id, before);
  }

  /** Sends until the server knows what was clicked last. */
  async #settle(postId: string, confirmed: Like): Promise<void> {
    this.#onItsWay.add(postId);
    try {
      while (this.of(postId).get().liked !== confirmed.liked) {
        const wanted = this.of(postId).get().liked;
        const answer = (await this.#send(postId, wanted)) as { likesCount?: number } | undefined;
        confirmed = { liked: wanted, count: answer?.likesCount ?? this.of(postId).get().count, asOf: this.#versions.get(postId) ?? 0 };
      }
      this.of(postId).set(confirmed);
    } catch (error) {
      this.of(postId).set(confirmed);
      this.#toasts.show('error', `Your like was not saved. ${explain(error)}`);
    } finally {
      this.#onItsWay.delete(postId);
    }
  }

  #change(postId: string, change: Partial<Like>): void {
    const entry = this.of(postId);
    const before = entry.get();
    const after = { ...before, ...change };
    if (after.liked !== before.liked || after.count !== before.count) entry.set(after);
  }
}
