import type { FeedSnapshot } from '@tidings/client';

/** How many posts of others came between two looks at a feed, shown on top or waiting. Pages that were read and one's own posts are no news. */
export function newcomersIn(before: FeedSnapshot, after: FeedSnapshot, readerId: string | null): number {
  if (before.posts.length === 0 && before.pendingCount === 0) return 0;
  const waiting = after.pendingCount - before.pendingCount;
  // Fewer waiting: they were shown, and had been announced.
  if (waiting < 0) return 0;
  const known = new Set(before.posts.map((post) => post.id));
  const first = after.posts.findIndex((post) => known.has(post.id));
  const onTop = first < 0 ? [] : after.posts.slice(0, first);
  return waiting + onTop.filter((post) => post.creator.id !== readerId).length;
}
