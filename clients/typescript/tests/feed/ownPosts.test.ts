import { beforeEach, describe, expect, it } from 'vitest';
import { FeedStore } from '../../src/feed/FeedStore.ts';
import type { Post } from '../../src/types.ts';
import { makePost } from '../support/makePost.ts';

const draft = { content: { text: 'mine' }, creator: makePost('x', { author: 'me' }).creator };

describe('Own posts in the feed', () => {
  let time: number;
  let batches: (() => void)[];
  let store: FeedStore;
  const runBatch = (): void => batches.splice(0).forEach((batch) => batch());
  const created = (post: Post): void => store.apply({ type: 'post_created', post, userId: post.creator.id });
  const ids = (): string[] => store.snapshot().posts.map((post) => post.id);
  const only = () => store.snapshot().posts[0];

  beforeEach(() => {
    time = Date.UTC(2026, 0, 1);
    batches = [];
    store = new FeedStore({ ownUserId: 'me', now: () => time, schedule: (callback) => void batches.push(callback) });
  });

  it('are shown at once, on top, and swapped for the real one under the same client id', () => {
    store.setPage([makePost('other', { minute: 90 })], { replace: true });
    store.addSending('c1', draft);
    expect(store.snapshot().posts).toMatchObject([{ id: 'local:c1', clientId: 'c1', localState: 'sending', content: { text: 'mine' } }, { id: 'other' }]);
    store.confirm('c1', makePost('p', { author: 'me', text: 'mine', minute: 91 }));
    expect(ids()).toEqual(['p', 'other']);
    expect(only()).toMatchObject({ clientId: 'c1' });
    expect(only()).not.toHaveProperty('localState');
  });

  it.each(['before', 'after'])('appear once when the broadcast comes %s the answer, and never count as pending', (order) => {
    const post = makePost('p', { author: 'me', text: ' mine\n' });
    store.addSending('c1', draft);
    const steps = [() => created(post), () => store.confirm('c1', post)];
    for (const step of order === 'before' ? steps : steps.reverse()) {
      step();
      runBatch();
      expect(store.snapshot().posts).toHaveLength(1);
      expect(only()).toMatchObject({ id: 'p', clientId: 'c1' });
    }
    expect(store.snapshot().pendingCount).toBe(0);
  });

  it('of another tab are shown at once, beside a draft of other words', () => {
    store.addSending('c1', draft);
    created(makePost('elsewhere', { author: 'me', text: 'something else' }));
    expect(ids()).toEqual(['local:c1', 'elsewhere']);
  });

  it('of the same words from another tab are told apart in the end', () => {
    store.addSending('c1', draft);
    created(makePost('elsewhere', { author: 'me', text: 'mine', minute: 1 }));
    store.confirm('c1', makePost('here', { author: 'me', text: 'mine', minute: 2 }));
    expect(store.snapshot().posts.map(({ id, clientId }) => [id, clientId])).toEqual([['here', 'c1'], ['elsewhere', undefined]]);
  });

  it('of the same words from long ago are not taken for the draft', () => {
    time = Date.UTC(2026, 0, 1, 12);
    store.addSending('c1', draft);
    created(makePost('old', { author: 'me', text: 'mine', minute: 0 }));
    expect(ids()).toEqual(['local:c1', 'old']);
  });

  it('that failed stay with the reason until they are sent again or discarded', () => {
    store.addSending('c1', draft);
    store.fail('c1', 'no network');
    expect(only()).toMatchObject({ localState: 'failed', failure: 'no network' });
    store.addSending('c1', draft);
    expect(only()?.localState).toBe('sending');
    expect(only()).not.toHaveProperty('failure');
    store.fail('c1', 'again');
    store.discard('c1');
    expect(ids()).toEqual([]);
  });

  it('whose answer was lost after their broadcast came did not fail', () => {
    store.addSending('c1', draft);
    created(makePost('p', { author: 'me', text: 'mine' }));
    store.fail('c1', 'timeout');
    expect(ids()).toEqual(['p']);
  });

  it('that are scheduled do not appear in the feed', () => {
    store.addSending('c1', draft);
    store.confirm('c1', makePost('p', { author: 'me', metadata: { status: 'scheduled' } }));
    expect(ids()).toEqual([]);
  });

  it('survive a page that does not know of them yet', () => {
    store.addSending('c1', draft);
    store.confirm('c2', makePost('p', { author: 'me' }));
    store.setPage([makePost('other', { minute: -1 })], { replace: true });
    expect(ids()).toEqual(['local:c1', 'p', 'other']);
  });
});
