import type { Post, PostAccess, PostContent, PostCreator, PostMedia } from '../types.ts';

/** A post as the feed shows it. The object stays the same while nothing about it changes. */
export interface FeedPost extends Post {
  /** The own post is on its way, or did not get there; absent once the server has it. */
  readonly localState?: 'sending' | 'failed';
  /** Why it failed. */
  readonly failure?: string;
  /** What the page named the own post by; kept after it was confirmed, so that a list may use it as a stable key. */
  readonly clientId?: string;
}

/** What the feed shows at one moment; immutable. */
export interface FeedSnapshot {
  /** Own posts on their way first, then by `createdAt` and id, newest first. */
  readonly posts: readonly FeedPost[];
  readonly pendingCount: number;
  /** More were pending than are kept: the page should fetch anew when they are shown. */
  readonly pendingOverflowed: boolean;
  /** Up to three different authors of pending posts, the latest first. */
  readonly pendingAuthors: readonly Pick<PostCreator, 'id' | 'nickname' | 'avatar'>[];
  /** The limit is reached: an older page would not be kept. */
  readonly isFull: boolean;
  /** Rises with each change. */
  readonly revision: number;
}

/** What is known of an own post before the server has it. */
export interface FeedDraft {
  readonly content: Partial<PostContent>;
  readonly media?: Partial<PostMedia>;
  readonly access?: Partial<PostAccess>;
  readonly category?: string | null;
  readonly creator: PostCreator;
}
