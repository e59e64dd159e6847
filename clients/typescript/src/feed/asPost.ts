import type { Post } from '../types.ts';

/** The value as a post, or null when it lacks what the feed relies on: events may be fed by hand. */
export function asPost(value: unknown): Post | null {
  const post = value as Post | null | undefined;
  const isPost =
    typeof post?.id === 'string' &&
    typeof post.metadata?.version === 'number' &&
    typeof post.metadata.createdAt === 'string' &&
    typeof post.creator?.id === 'string' &&
    typeof post.access === 'object' &&
    typeof post.content === 'object';
  return isPost ? post : null;
}
