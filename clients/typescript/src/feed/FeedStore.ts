import { BoundedMap } from '../BoundedMap.ts';
import type { Post, TidingsEvent } from '../types.ts';
import { asPost } from './asPost.ts';
import { Drafts } from './Drafts.ts';
import type { FeedDraft, FeedPost, FeedSnapshot } from './FeedSnapshot.ts';
import type { FeedStoreOptions } from './FeedStoreOptions.ts';
import { latestAuthors } from './latestAuthors.ts';
import { newestFirst, PostRecord, type Place } from './PostRecord.ts';

const maxEarly = 200;
const maxTombstones = 1_000;
const maxDelivered = 500;

/** A page that does not say when it was asked for was asked for within this time. */
const longestPageLoad = 30_000;

/**
 * The posts of a feed: no id twice, the newest version of each, deletions for good, whatever the order in which pages, events and
 * answers arrive. Made for `useSyncExternalStore`: `snapshot()` returns the same object until something changed.
 */
export class FeedStore {
  readonly #options: Required<FeedStoreOptions>;
  readonly #records = new Map<string, PostRecord>();
  /** Ids known from updates only, whose page may be on its way; the oldest are forgotten. */
  readonly #early = new Set<string>();
  readonly #tombstones = new BoundedMap<string, true>(maxTombstones);
  readonly #delivered = new BoundedMap<string, true>(maxDelivered);
  readonly #drafts = new Drafts();
  readonly #listeners = new Set<() => void>();
  #isReaderAtTopIdle = false;
  #hasPage = false;
  #hasOverflowed = false;
  #isDirty = false;
  #isScheduled = false;
  #snapshot: FeedSnapshot = { posts: [], pendingCount: 0, pendingOverflowed: false, pendingAuthors: [], isFull: false, revision: 0 };

  constructor(options: FeedStoreOptions) {
    this.#options = {
      maxPosts: 100,
      maxPending: 50,
      batchDelayMs: 100,
      now: () => Date.now(),
      schedule: (callback, milliseconds) => void setTimeout(callback, milliseconds),
      ...options,
    };
  }

  // Arrow functions, since React calls both without the object.
  readonly snapshot = (): FeedSnapshot => this.#snapshot;

  readonly subscribe = (listener: () => void): (() => void) => {
    const call = (): void => listener();
    this.#listeners.add(call);
    return () => void this.#listeners.delete(call);
  };

  /**
   * Takes a page of the REST API. With `replace`, what is not on it goes, except own posts on their way and what events have brought since the page
   * was asked for (`requestedAt`, by the same clock as `now`; without it, within the last 30 s): the page may not know of that yet.
   */
  setPage(posts: readonly Post[], { replace, requestedAt }: { replace: boolean; requestedAt?: number }): void {
    if (replace) this.#clear(new Set(posts.map((post) => post.id)), requestedAt ?? this.#options.now() - longestPageLoad);
    this.#hasPage = true;
    for (const post of posts) this.#place(this.#merge(post), 'shown');
    this.#flush();
  }

  /** Takes an event of any kind; those that are not about posts of a feed change nothing. */
  apply(event: TidingsEvent): void {
    const post = asPost(event['post']);
    const { postId, version, likesCount, commentsCount } = event as { postId?: unknown; version?: unknown; likesCount?: unknown; commentsCount?: unknown };
    if (event.type === 'post_created' && post !== null) this.#created(post, event['userId']);
    else if (event.type === 'post_updated' && post !== null) this.#keepEarly(this.#merge(post));
    else if (typeof postId !== 'string') return;
    else if (event.type === 'post_deleted') this.#bury(postId);
    else if (typeof version !== 'number') return;
    else if (event.type === 'post_liked' || event.type === 'post_unliked') this.#count(postId, (record) => typeof likesCount === 'number' && record.mergeLikes(likesCount, version));
    else if (event.type === 'comment_added' || event.type === 'comment_updated' || event.type === 'comment_deleted')
      this.#count(postId, (record) => typeof commentsCount === 'number' && record.mergeComments(commentsCount, version));
  }

  /** Whether `post_created` of this post came as an event: what `VisibilityWatch` asks. */
  wasDelivered(postId: string): boolean {
    return this.#delivered.has(postId);
  }

  /** Decides whether posts of others are inserted live or wait behind the button; what already waits goes on waiting. */
  setReaderAtTopIdle(value: boolean): void {
    this.#isReaderAtTopIdle = value;
  }

  showPending(): void {
    for (const record of this.#records.values()) if (record.place === 'pending') record.place = 'shown';
    this.#hasOverflowed = false;
    this.#isDirty = true;
    this.#flush();
  }

  /** Shows an own post before the server has it. */
  addSending(clientId: string, draft: FeedDraft): void {
    this.#drafts.add(clientId, draft, this.#options.now());
    this.#isDirty = true;
    this.#flush();
  }

  /** The server has it: the real post takes the place of the draft, whether or not its broadcast came first. */
  confirm(clientId: string, post: Post): void {
    const takenFor = this.#drafts.remove(clientId);
    // Another tab wrote the same words at the same time.
    if (takenFor !== undefined && takenFor !== post.id) this.#records.get(takenFor)?.nameBy(undefined);
    this.#isDirty = true;
    const isForLater = post.metadata.status === 'draft' || post.metadata.status === 'scheduled';
    const record = isForLater ? undefined : this.#merge(post);
    if (record !== undefined) {
      this.#place(record, 'shown');
      record.arrivedAt = this.#options.now();
      record.nameBy(clientId);
    }
    this.#flush();
  }

  fail(clientId: string, message: string): void {
    this.#drafts.fail(clientId, message);
    this.#isDirty = true;
    this.#flush();
  }

  /** Forgets an own post that is not sent after all. */
  discard(clientId: string): void {
    this.#drafts.remove(clientId);
    this.#isDirty = true;
    this.#flush();
  }

  /** The reader's right to this post is gone (`feed_update` says so): hides the full form, which a preview alone never does. */
  relock(postId: string): void {
    this.#count(postId, (record) => (record.relock(), true));
  }

  #created(post: Post, authorId: unknown): void {
    const { ownUserId, now } = this.#options;
    this.#delivered.set(post.id, true);
    const record = this.#merge(post);
    if (record === undefined || record.place !== 'early') return;
    const isOwn = ownUserId !== null && (post.creator.id === ownUserId || authorId === ownUserId);
    record.arrivedAt = now();
    this.#place(record, isOwn || this.#isReaderAtTopIdle ? 'shown' : 'pending');
    if (!isOwn) return;
    const clientId = this.#drafts.match(post);
    if (clientId !== undefined) record.nameBy(clientId);
    this.#flush();
  }

  /** Takes a form of a post. Undefined for a deleted one. */
  #merge(post: Post): PostRecord | undefined {
    if (this.#tombstones.has(post.id)) return undefined;
    const record = this.#recordOf(post.id);
    if (record.mergePost(post) && record.place !== 'early') this.#touch();
    return record;
  }

  #place(record: PostRecord | undefined, place: Place): void {
    if (record === undefined || record.place === place) return;
    record.place = place;
    this.#early.delete(record.id);
    this.#touch();
  }

  #count(postId: string, merge: (record: PostRecord) => boolean): void {
    if (this.#tombstones.has(postId)) return;
    const record = this.#recordOf(postId);
    if (merge(record) && record.place !== 'early') this.#touch();
    this.#keepEarly(record);
  }

  #bury(postId: string): void {
    this.#tombstones.set(postId, true);
    this.#early.delete(postId);
    const record = this.#records.get(postId);
    this.#records.delete(postId);
    if (record !== undefined && record.place !== 'early') this.#touch();
  }

  #recordOf(postId: string): PostRecord {
    const record = this.#records.get(postId) ?? new PostRecord(postId);
    this.#records.set(postId, record);
    return record;
  }

  #keepEarly(record: PostRecord | undefined): void {
    if (record?.place !== 'early') return;
    this.#early.add(record.id);
    if (this.#early.size > maxEarly) this.#forget(this.#early.values().next().value as string);
  }

  #forget(postId: string): void {
    this.#early.delete(postId);
    this.#records.delete(postId);
  }

  /** Makes room for a page that replaces everything but what it can't know of. */
  #clear(kept: ReadonlySet<string>, requestedAt: number): void {
    for (const record of this.#records.values()) {
      const isNews = record.arrivedAt !== null && (!this.#hasPage || record.arrivedAt >= requestedAt);
      if (record.place !== 'early' && !kept.has(record.id) && !isNews) this.#forget(record.id);
    }
    this.#hasOverflowed = false;
    this.#isDirty = true;
  }

  #touch(): void {
    this.#isDirty = true;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#options.schedule(() => this.#flush(), this.#options.batchDelayMs);
  }

  #flush(): void {
    this.#isScheduled = false;
    if (!this.#isDirty) return;
    this.#isDirty = false;
    const { maxPosts, maxPending } = this.#options;
    const shown = this.#newest('shown', maxPosts);
    const pending = this.#newest('pending', maxPending);
    if (pending.dropped > 0) this.#hasOverflowed = true;
    this.#snapshot = {
      posts: [...this.#drafts.visible(), ...shown.posts],
      pendingCount: pending.posts.length,
      pendingOverflowed: this.#hasOverflowed,
      pendingAuthors: latestAuthors(pending.posts),
      isFull: shown.posts.length >= maxPosts,
      revision: this.#snapshot.revision + 1,
    };
    for (const listener of [...this.#listeners]) listener();
  }

  /** The posts in a place, the newest `limit` of them; the rest is forgotten. */
  #newest(place: Place, limit: number): { posts: FeedPost[]; dropped: number } {
    const all = [...this.#records.values()].filter((record) => record.place === place && record.hasForm).map((record) => record.view());
    const sorted = all.sort(newestFirst);
    for (const post of sorted.slice(limit)) this.#forget(post.id);
    return { posts: sorted.slice(0, limit), dropped: Math.max(0, sorted.length - limit) };
  }
}
