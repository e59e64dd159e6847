import type { Post } from '../types.ts';
import type { FeedPost } from './FeedSnapshot.ts';

interface Counter {
  readonly count: number;
  readonly version: number;
}

/** Where a post stands: in the list, behind the button, or known from an update only (its page may be on its way). */
export type Place = 'shown' | 'pending' | 'early';

/** A preview is what a reader without the right gets of a locked post. */
export function isPreview(post: Post): boolean {
  return post.access.isLocked && !post.access.hasAccess;
}

/**
 * All that is known of one post. Every part keeps its newest version by itself, so that any order of arrival ends in the same state:
 * an edit that comes after a later like still counts, and a preview never hides a full form.
 */
export class PostRecord {
  readonly id: string;
  place: Place = 'early';
  /** When an event or an answer brought it, by the local clock; null when a page did. */
  arrivedAt: number | null = null;
  clientId: string | undefined;
  #full: Post | null = null;
  #preview: Post | null = null;
  #likes: Counter = { count: 0, version: -1 };
  #comments: Counter = { count: 0, version: -1 };
  #shown: FeedPost | null = null;

  constructor(id: string) {
    this.id = id;
  }

  /** Whether there is anything to show yet. */
  get hasForm(): boolean {
    return this.#form !== null;
  }

  get creatorId(): string | undefined {
    return this.#form?.creator.id;
  }

  /** True when it changed anything. */
  mergePost(post: Post): boolean {
    const { version, likesCount, commentsCount } = post.metadata;
    const held = isPreview(post) ? this.#preview : this.#full;
    const isNewer = held === null || version > held.metadata.version;
    if (isNewer && isPreview(post)) this.#preview = post;
    else if (isNewer) this.#full = post;
    const likesChanged = this.mergeLikes(likesCount, version);
    const commentsChanged = this.mergeComments(commentsCount, version);
    if (isNewer) this.#shown = null;
    return isNewer || likesChanged || commentsChanged;
  }

  mergeLikes(count: number, version: number): boolean {
    if (version <= this.#likes.version) return false;
    this.#likes = { count, version };
    this.#shown = null;
    return true;
  }

  mergeComments(count: number, version: number): boolean {
    if (version <= this.#comments.version) return false;
    this.#comments = { count, version };
    this.#shown = null;
    return true;
  }

  /** The right to the full form is gone: what a preview never does by itself. */
  relock(): void {
    const full = this.#full;
    if (full === null) return;
    // Below every version, so that the first real preview replaces it.
    this.#preview ??= {
      ...full,
      content: { ...full.content, text: null },
      media: { ...full.media, url: null },
      access: { ...full.access, isLocked: true, hasAccess: false },
      metadata: { ...full.metadata, version: -1 },
    };
    this.#full = null;
    this.#shown = null;
  }

  nameBy(clientId: string | undefined): void {
    this.clientId = clientId;
    this.#shown = null;
  }

  /** The same object until something changes. Only where `hasForm`. */
  view(): FeedPost {
    if (this.#shown !== null) return this.#shown;
    const form = this.#form as Post;
    const version = Math.max(form.metadata.version, this.#preview?.metadata.version ?? 0, this.#likes.version, this.#comments.version);
    this.#shown = {
      ...form,
      metadata: { ...form.metadata, likesCount: this.#likes.count, commentsCount: this.#comments.count, version },
      ...(this.clientId !== undefined && { clientId: this.clientId }),
    };
    return this.#shown;
  }

  get #form(): Post | null {
    return this.#full ?? this.#preview;
  }
}

/** Newest first: by `createdAt`, then id. */
export function newestFirst(a: Post, b: Post): number {
  return Date.parse(b.metadata.createdAt) - Date.parse(a.metadata.createdAt) || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}
