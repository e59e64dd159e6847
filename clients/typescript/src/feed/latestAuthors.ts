import type { Post } from '../types.ts';
import type { FeedSnapshot } from './FeedSnapshot.ts';

const shownAuthors = 3;

/** The first three different authors of posts that are ordered newest first. */
export function latestAuthors(posts: readonly Post[]): FeedSnapshot['pendingAuthors'] {
  const authors = new Map<string, FeedSnapshot['pendingAuthors'][number]>();
  for (const { creator } of posts) {
    if (authors.size === shownAuthors) break;
    if (!authors.has(creator.id)) authors.set(creator.id, { id: creator.id, nickname: creator.nickname, avatar: creator.avatar });
  }
  return [...authors.values()];
}
