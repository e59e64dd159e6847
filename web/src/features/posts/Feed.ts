import { FeedStore, type TidingsClient, type TidingsEvent } from '@tidings/client';
import { explain } from '../../api/ApiError';
import { listPosts, readPost, type FeedScope, type PostPage } from '../../api/posts';
import { Observable } from '../../app/Observable';

export interface FeedState {
  phase: 'idle' | 'loading' | 'ready' | 'failed';
  error: string | null;
  nextCursor: string | null;
  loadingOlder: boolean;
  /** New posts of which the server gave only the number, because there were too many to send each. */
  untold: number;
  /** What went wrong with keeping up, with a Refresh button beside it. */
  notice: string | null;
}

export interface FeedOptions {
  scope: FeedScope;
  readerId: string | null;
  client: TidingsClient | null;
  /** Told about every page that was read. */
  onPage?: (page: PostPage) => void;
  list?: typeof listPosts;
}

const initial: FeedState = { phase: 'idle', error: null, nextCursor: null, loadingOlder: false, untold: 0, notice: null };
const mostSingleReads = 8;
const settleTime = 400;

/** One feed: its first page, then its channel since the page's position. `start` may be called any number of times and reads once. */
export class Feed {
  readonly scope: FeedScope;
  readonly store: FeedStore;
  readonly state = new Observable<FeedState>(initial);
  readonly #options: FeedOptions;
  readonly #list: typeof listPosts;
  #subscription: { unsubscribe(): void } | null = null;
  #reading: Promise<boolean> | null = null;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #stale = false;
  #shown = false;
  #isReaderAtTopIdle = false;
  #ended = false;

  constructor(options: FeedOptions) {
    this.scope = options.scope;
    this.#options = options;
    this.#list = options.list ?? listPosts;
    this.store = new FeedStore({ ownUserId: options.readerId, maxPosts: 100, maxPending: 50, batchDelayMs: 100 });
  }

  get channel(): string | null {
    if (this.#options.readerId === null) return null;
    return this.scope === 'all' ? 'public:posts' : `feed:${this.#options.readerId}`;
  }

  get isStarted(): boolean {
    return this.state.get().phase !== 'idle';
  }

  get isShown(): boolean {
    return this.#shown;
  }

  /** It is on screen from now on. */
  start(): void {
    if (this.#ended) return;
    this.#shown = true;
    if (!this.isStarted) void this.#read('loading');
    else if (this.#stale) void this.refresh();
  }

  /** It is on screen no more; it goes on listening. */
  leave(): void {
    this.#shown = false;
  }

  /** Reads the newest page again; true if that worked. Two callers at once share one request. */
  refresh(): Promise<boolean> {
    this.#stale = false;
    return this.#read(this.state.get().phase === 'ready' ? 'ready' : 'loading');
  }

  /** The next `start`, that is the next time somebody looks, reads anew. */
  markStale(): void {
    if (this.isStarted) this.#stale = true;
  }

  /** For changes of which more may follow, or which are told twice: reads once, a moment later, or when somebody looks. */
  refreshSoon(): void {
    this.markStale();
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => {
      if (this.#stale && this.#shown) void this.refresh();
    }, settleTime);
  }

  async loadOlder(): Promise<void> {
    const { nextCursor, loadingOlder, phase } = this.state.get();
    if (phase !== 'ready' || nextCursor === null || loadingOlder) return;
    this.#change({ loadingOlder: true });
    try {
      const page = await this.#list({ scope: this.scope, cursor: nextCursor });
      if (this.#ended) return;
      this.#options.onPage?.(page);
      this.store.setPage(page.posts, { replace: false });
      this.#change({ loadingOlder: false, nextCursor: page.nextCursor });
    } catch (error) {
      this.#change({ loadingOlder: false, notice: `Older posts could not be loaded. ${explain(error)}` });
    }
  }

  hear(event: TidingsEvent): void {
    if (!this.isStarted) return;
    if (event.type === 'feed_update') {
      this.#hearUpdate(event);
      return;
    }
    // What waits is older than what comes: inserting only the new one would leave a hole.
    if (event.type === 'post_created' && this.#isReaderAtTopIdle && this.store.snapshot().pendingCount > 0) this.showNew();
    this.store.apply(event);
  }

  readonly setReaderAtTopIdle = (value: boolean): void => {
    this.#isReaderAtTopIdle = value;
    this.store.setReaderAtTopIdle(value);
  };

  showNew(): void {
    const isIncomplete = this.store.snapshot().pendingOverflowed || this.state.get().untold > 0;
    this.store.showPending();
    if (isIncomplete) void this.refresh();
  }

  setNotice(notice: string | null): void {
    this.#change({ notice });
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#soon);
    this.#subscription?.unsubscribe();
    this.#subscription = null;
  }

  /** "Something is different": a few posts are read one by one, more by reading the page; a mere number joins the button. */
  #hearUpdate(event: TidingsEvent): void {
    const ids = event['postIds'];
    const count = event['count'];
    if (typeof count === 'number' && count > 0) this.#change({ untold: this.state.get().untold + count });
    else if (Array.isArray(ids) && ids.length > 0 && ids.length <= mostSingleReads) void this.#readAgain(ids.filter((id) => typeof id === 'string'));
    else this.refreshSoon();
  }

  async #readAgain(ids: string[]): Promise<void> {
    const posts = await Promise.allSettled(ids.map((id) => readPost(id)));
    for (const post of posts) {
      if (post.status !== 'fulfilled') continue;
      const { id, access, metadata } = post.value;
      if (access.isLocked && !access.hasAccess) this.store.relock(id);
      this.store.apply({ type: 'post_updated', post: post.value, version: metadata.version });
    }
  }

  #read(phase: 'loading' | 'ready'): Promise<boolean> {
    this.#reading ??= this.#readNewest(phase).finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readNewest(phase: 'loading' | 'ready'): Promise<boolean> {
    this.#change({ phase, error: null });
    const requestedAt = Date.now();
    try {
      const page = await this.#list({ scope: this.scope });
      if (this.#ended) return false;
      this.#options.onPage?.(page);
      this.store.setPage(page.posts, { replace: true, requestedAt });
      this.#change({ phase: 'ready', nextCursor: page.nextCursor, untold: 0, notice: null });
      this.#listen(page.positions);
      return true;
    } catch (error) {
      if (phase === 'loading') this.#change({ phase: 'failed', error: explain(error) });
      return false;
    }
  }

  #listen(positions: Record<string, string> | undefined): void {
    const { client } = this.#options;
    const channel = this.channel;
    if (client === null || channel === null || this.#subscription !== null) return;
    const since = positions?.[channel];
    // Events come to the whole page by their type, and from there here; see `routeEvent`.
    this.#subscription = client.subscribe(channel, () => {}, {
      ...(since === undefined ? {} : { since }),
      onGap: () => void this.refresh(),
      onClosed: () => {
        this.#subscription = null;
      },
    });
  }

  #change(change: Partial<FeedState>): void {
    if (!this.#ended) this.state.set({ ...this.state.get(), ...change });
  }
}
