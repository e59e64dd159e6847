import type { Subscription, TidingsClient } from '@tidings/client';

const most = 40;
const settleAfter = 200;

/** Hears about likes, edits and deletions of the posts on screen, and of no others. */
export class VisiblePosts {
  readonly #client: TidingsClient | null;
  readonly #onScreen = new Set<string>();
  readonly #subscriptions = new Map<string, Subscription>();
  /** Where a post's channel was left, so that coming back to it misses nothing. */
  readonly #positions = new Map<string, string>();
  readonly #idOf = new WeakMap<Element, string>();
  #observer: IntersectionObserver | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: TidingsClient | null) {
    this.#client = client;
  }

  /** Watches one post's element until the returned function is called. */
  watch(element: Element, postId: string): () => void {
    if (this.#client === null || typeof IntersectionObserver === 'undefined') return () => {};
    this.#observer ??= new IntersectionObserver((entries) => this.#crossed(entries), { rootMargin: '80px 0px' });
    this.#idOf.set(element, postId);
    this.#observer.observe(element);
    return () => {
      this.#observer?.unobserve(element);
      this.#onScreen.delete(postId);
      this.#settleSoon();
    };
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#observer?.disconnect();
    this.#observer = null;
    this.#onScreen.clear();
    this.#subscriptions.clear();
  }

  #crossed(entries: IntersectionObserverEntry[]): void {
    for (const entry of entries) {
      const id = this.#idOf.get(entry.target);
      if (id === undefined) continue;
      if (entry.isIntersecting) this.#onScreen.add(id);
      else this.#onScreen.delete(id);
    }
    this.#settleSoon();
  }

  /** Scrolling past a post is not worth a subscription. */
  #settleSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#settle(), settleAfter);
  }

  #settle(): void {
    const client = this.#client;
    if (client === null) return;
    const wanted = new Set([...this.#onScreen].slice(0, most));
    for (const [id, subscription] of this.#subscriptions) {
      if (wanted.has(id)) continue;
      if (subscription.position) this.#positions.set(id, subscription.position);
      subscription.unsubscribe();
      this.#subscriptions.delete(id);
    }
    for (const id of wanted) {
      if (this.#subscriptions.has(id)) continue;
      const since = this.#positions.get(id);
      // What arrives is routed by its type; see `routeEvents`.
      this.#subscriptions.set(id, client.subscribe(`post:${id}`, () => {}, {
        ...(since === undefined ? {} : { since }),
        onGap: () => this.#positions.delete(id),
        onClosed: () => this.#subscriptions.delete(id),
      }));
    }
  }
}
