import { describe, expect, it } from 'vitest';
import { FeedStore } from '../../src/feed/FeedStore.ts';
import type { Post, TidingsEvent } from '../../src/types.ts';
import { makeFull, makePost, makePreview } from '../support/makePost.ts';
import { seededRandom, shuffled } from '../support/seededRandom.ts';

type Step = { event: TidingsEvent } | { page: Post[] };

/** What happens to some posts on a server: each change raises the version; the reader hears of it as an event or in a page. */
function history(random: () => number): { steps: Step[]; expected: Map<string, { text: string; likes: number; comments: number; version: number }> } {
  const steps: Step[] = [];
  const expected = new Map<string, { text: string; likes: number; comments: number; version: number }>();
  for (let n = 0; n < 6; n++) {
    const id = `p${n}`;
    const isLocked = random() < 0.4;
    let version = 1;
    let text = `${id} v1`;
    let likes = 0;
    let comments = 0;
    let lastFullText = text;
    const form = (): Post => {
      // Of a locked post, one channel may carry the preview only.
      const asPreview = isLocked && version > 1 && random() < 0.5;
      const parts = { version, text, minute: n % 3, metadata: { likesCount: likes, commentsCount: comments } };
      if (!asPreview) lastFullText = text;
      return asPreview ? makePreview(id, parts) : isLocked ? makeFull(id, parts) : makePost(id, parts);
    };
    steps.push({ event: { type: 'post_created', post: form(), userId: 'ann' } });
    for (let change = 0; change < 6; change++) {
      version++;
      const kind = random();
      if (kind < 0.35) steps.push({ event: { type: 'post_liked', postId: id, likesCount: ++likes, version } });
      else if (kind < 0.5) steps.push({ event: { type: 'comment_added', postId: id, commentsCount: ++comments, version } });
      else if (kind < 0.55) steps.push({ event: { type: 'comment_updated', postId: id, commentsCount: comments, version } });
      else if (kind < 0.6 && comments > 0) steps.push({ event: { type: 'comment_deleted', postId: id, commentsCount: --comments, version } });
      else {
        text = `${id} v${version}`;
        steps.push(kind < 0.8 ? { event: { type: 'post_updated', post: form(), version } } : { page: [form()] });
      }
    }
    if (random() < 0.25) steps.push({ event: { type: 'post_deleted', postId: id, version: version + 1 } });
    else expected.set(id, { text: lastFullText, likes, comments, version });
  }
  return { steps, expected };
}

describe('The feed converges (F27)', () => {
  it.each(Array.from({ length: 300 }, (_, seed) => [seed]))('whatever the order and the repeats, seed %d', (seed) => {
    const random = seededRandom(seed);
    const { steps, expected } = history(random);
    const repeats = steps.filter(() => random() < 0.5);
    const store = new FeedStore({ ownUserId: 'me', schedule: () => {} });
    for (const step of shuffled([...steps, ...repeats], random)) {
      store.setReaderAtTopIdle(random() < 0.5);
      if ('event' in step) store.apply(step.event);
      else store.setPage(step.page, { replace: false });
    }
    store.showPending();
    const { posts } = store.snapshot();
    const seen = posts.map(({ id, content, metadata }) => [id, { text: content.text, likes: metadata.likesCount, comments: metadata.commentsCount, version: metadata.version }]);
    expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(expected));
    expect(seen).toHaveLength(expected.size);
    const order = posts.map((post) => `${post.metadata.createdAt} ${post.id}`);
    expect(order).toEqual(order.toSorted().reverse());
  });
});
