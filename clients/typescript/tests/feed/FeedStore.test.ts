import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FeedStore } from '../../src/feed/FeedStore.ts';
import type { FeedStoreOptions } from '../../src/feed/FeedStoreOptions.ts';
import type { Post } from '../../src/types.ts';
import { makeFull, makePost, makePreview } from '../support/makePost.ts';

describe('FeedStore', () => {
  let time: number;
  let batches: (() => void)[];
  let store: FeedStore;

  const make = (options: Partial<FeedStoreOptions> = {}): FeedStore =>
    new FeedStore({ ownUserId: 'me', now: () => time, schedule: (callback) => void batches.push(callback), ...options });
  const runBatch = (): void => batches.splice(0).forEach((batch) => batch());
  const created = (post: Post): void => store.apply({ type: 'post_created', post, userId: post.creator.id });
  const ids = (): string[] => store.snapshot().posts.map((post) => post.id);
  const only = () => store.snapshot().posts[0];

  beforeEach(() => {
    time = Date.UTC(2026, 0, 1);
    batches = [];
    store = make();
  });

  describe('its order and its limits', () => {
    it('is newest first by createdAt, then by id, whatever the order of arrival', () => {
      store.setPage([makePost('b', { minute: 1 }), makePost('d', { minute: 3 }), makePost('a', { minute: 1 }), makePost('c', { minute: 2 })], { replace: true });
      expect(ids()).toEqual(['d', 'c', 'b', 'a']);
    });

    it('shows no id twice, from page, event and answer', () => {
      const post = makePost('p', { author: 'me' });
      created(post);
      store.setPage([post, post], { replace: false });
      store.confirm('c1', post);
      created(post);
      runBatch();
      expect(ids()).toEqual(['p']);
      expect(store.snapshot().pendingCount).toBe(0);
    });

    it('keeps the newest 100, and says when it is full', () => {
      store.setPage(Array.from({ length: 99 }, (_, n) => makePost(`p${n}`, { minute: n })), { replace: true });
      expect(store.snapshot().isFull).toBe(false);
      store.setPage(Array.from({ length: 21 }, (_, n) => makePost(`q${n}`, { minute: n - 30 })), { replace: false });
      expect(ids()).toHaveLength(100);
      expect(ids().at(-1)).toBe('q20');
      expect(store.snapshot().isFull).toBe(true);
    });

    it('replaces with a newer version and drops an older one', () => {
      store.setPage([makePost('p', { version: 2, text: 'two' })], { replace: true });
      store.apply({ type: 'post_updated', post: makePost('p', { version: 1, text: 'one' }) });
      runBatch();
      expect(only()?.content.text).toBe('two');
      store.apply({ type: 'post_updated', post: makePost('p', { version: 3, text: 'three' }) });
      runBatch();
      expect(only()?.content.text).toBe('three');
      store.setPage([makePost('p', { version: 2, text: 'two' })], { replace: true });
      expect(only()?.content.text).toBe('three');
    });
  });

  describe('its snapshots', () => {
    it('are the same object until something changed, and are announced once per batch', () => {
      const listener = vi.fn();
      store.subscribe(listener);
      store.setReaderAtTopIdle(true);
      const before = store.snapshot();
      created(makePost('a'));
      created(makePost('b'));
      expect(store.snapshot()).toBe(before);
      expect(batches).toHaveLength(1);
      runBatch();
      expect(listener).toHaveBeenCalledOnce();
      expect(store.snapshot()).not.toBe(before);
      expect(store.snapshot().revision).toBe(before.revision + 1);
    });

    it('stay the same when an event changes nothing', () => {
      store.setPage([makePost('a', { version: 5 })], { replace: true });
      const before = store.snapshot();
      const listener = vi.fn();
      store.subscribe(listener);
      created(makePost('a', { version: 5 }));
      store.apply({ type: 'post_liked', postId: 'a', likesCount: 9, version: 4 });
      store.apply({ type: 'post_liked', postId: 'unknown', likesCount: 9, version: 4 });
      store.apply({ type: 'notification' });
      runBatch();
      expect(store.snapshot()).toBe(before);
      expect(listener).not.toHaveBeenCalled();
    });

    it('keep the objects of posts that did not change', () => {
      store.setPage([makePost('a'), makePost('b')], { replace: true });
      const [b, a] = store.snapshot().posts;
      store.apply({ type: 'post_liked', postId: 'a', likesCount: 1, version: 2 });
      runBatch();
      expect(store.snapshot().posts[0]).toBe(b);
      expect(store.snapshot().posts[1]).not.toBe(a);
    });

    it('are waited for 100 ms, and no listener is called after it left', () => {
      const schedule = vi.fn();
      store = make({ schedule });
      const listener = vi.fn();
      store.subscribe(listener)();
      created(makePost('a'));
      expect(schedule).toHaveBeenCalledExactlyOnceWith(expect.any(Function), 100);
      (schedule.mock.calls[0]?.[0] as () => void)();
      expect(store.snapshot().pendingCount).toBe(1);
      expect(listener).not.toHaveBeenCalled();
    });
  });

  describe('posts of others', () => {
    it('are inserted live when the reader is at the top and idle, and wait otherwise', () => {
      store.setReaderAtTopIdle(true);
      created(makePost('live', { minute: 1 }));
      store.setReaderAtTopIdle(false);
      created(makePost('later', { minute: 2, author: 'bob' }));
      runBatch();
      expect(ids()).toEqual(['live']);
      expect(store.snapshot()).toMatchObject({ pendingCount: 1, pendingAuthors: [{ id: 'bob', nickname: 'bob', avatar: null }] });
      store.setReaderAtTopIdle(true);
      created(makePost('later', { minute: 2 }));
      runBatch();
      expect(ids()).toEqual(['live']);
      store.showPending();
      expect(ids()).toEqual(['later', 'live']);
      expect(store.snapshot()).toMatchObject({ pendingCount: 0, pendingAuthors: [] });
    });

    it('wait up to 50, the oldest are dropped and that is told; three authors are named, the latest first', () => {
      for (let n = 0; n < 53; n++) created(makePost(`p${n}`, { minute: n, author: `a${n % 5}` }));
      runBatch();
      expect(store.snapshot()).toMatchObject({ pendingCount: 50, pendingOverflowed: true });
      expect(store.snapshot().pendingAuthors.map((author) => author.id)).toEqual(['a2', 'a1', 'a0']);
      store.showPending();
      expect(ids()).toHaveLength(50);
      expect(ids().at(-1)).toBe('p3');
      expect(store.snapshot().pendingOverflowed).toBe(false);
    });

    it('that wait are updated and deleted like any other', () => {
      created(makePost('a', { minute: 1 }));
      created(makePost('b', { minute: 2 }));
      store.apply({ type: 'post_updated', post: makePost('a', { minute: 1, version: 2, text: 'edited' }) });
      store.apply({ type: 'post_deleted', postId: 'b', version: 3 });
      runBatch();
      expect(store.snapshot().pendingCount).toBe(1);
      store.showPending();
      expect(only()?.content.text).toBe('edited');
    });

    it('that wait are shown when a page brings them', () => {
      created(makePost('a'));
      store.setPage([makePost('a')], { replace: false });
      expect(ids()).toEqual(['a']);
      expect(store.snapshot().pendingCount).toBe(0);
    });
  });

  describe('the two forms of a locked post', () => {
    it('never lets a preview replace a full form, but takes its counters', () => {
      store.setPage([makeFull('p', { version: 1 })], { replace: true });
      store.apply({ type: 'post_updated', post: makePreview('p', { version: 2, metadata: { likesCount: 7 } }) });
      runBatch();
      expect(only()).toMatchObject({ content: { text: 'text of p' }, access: { hasAccess: true }, metadata: { likesCount: 7, version: 2 } });
      store.setPage([makePreview('p', { version: 3 })], { replace: true });
      expect(only()?.access.hasAccess).toBe(true);
    });

    it('opens a preview by the full form of the same version', () => {
      store.setPage([makePreview('p', { version: 2 })], { replace: true });
      store.setPage([makeFull('p', { version: 2 })], { replace: false });
      expect(only()?.content.text).toBe('text of p');
    });

    it('closes it when the right is gone, and opens it again with the right', () => {
      store.setPage([makeFull('p', { version: 2, metadata: { likesCount: 3 } })], { replace: true });
      store.relock('p');
      runBatch();
      expect(only()).toMatchObject({ content: { text: null }, media: { url: null }, access: { isLocked: true, hasAccess: false }, metadata: { likesCount: 3, version: 2 } });
      store.setPage([makePreview('p', { version: 2, content: { title: 'teaser' } })], { replace: false });
      expect(only()?.content).toEqual({ title: 'teaser', text: null });
      store.setPage([makeFull('p', { version: 2 })], { replace: false });
      expect(only()?.content.text).toBe('text of p');
    });
  });

  describe('counters', () => {
    it('follow the version, each by itself', () => {
      store.setPage([makePost('p', { version: 3 })], { replace: true });
      store.apply({ type: 'post_liked', postId: 'p', likesCount: 5, version: 6 });
      store.apply({ type: 'post_unliked', postId: 'p', likesCount: 4, version: 5 });
      store.apply({ type: 'comment_added', postId: 'p', commentsCount: 2, version: 4 });
      runBatch();
      expect(only()?.metadata).toMatchObject({ likesCount: 5, commentsCount: 2, version: 6 });
    });

    it('do not hide an edit that arrives after a later like', () => {
      store.setPage([makePost('p', { version: 1 })], { replace: true });
      store.apply({ type: 'post_liked', postId: 'p', likesCount: 1, version: 3 });
      store.apply({ type: 'post_updated', post: makePost('p', { version: 2, text: 'edited' }) });
      runBatch();
      expect(only()).toMatchObject({ content: { text: 'edited' }, metadata: { likesCount: 1, version: 3 } });
    });
  });

  describe('deletions', () => {
    it('beat everything, even what comes later or claims a newer version', () => {
      store.addSending('c1', { content: { text: 'mine' }, creator: makePost('p', { author: 'me' }).creator });
      store.apply({ type: 'post_deleted', postId: 'p', version: 2 });
      const post = makePost('p', { version: 9, author: 'me' });
      created(post);
      store.apply({ type: 'post_updated', post });
      store.confirm('c1', post);
      store.setPage([post], { replace: true });
      expect(ids()).toEqual([]);
    });

    it('are remembered within a limit', () => {
      for (let n = 0; n <= 1_000; n++) store.apply({ type: 'post_deleted', postId: `p${n}`, version: 1 });
      store.setPage([makePost('p0'), makePost('p1')], { replace: true });
      expect(ids()).toEqual(['p0']);
    });
  });

  describe('the seam between a page and events', () => {
    it('keeps a post whose event came before the first page', () => {
      created(makePost('own', { author: 'me', minute: 5 }));
      created(makePost('other', { minute: 6 }));
      time += 3_600_000;
      store.setPage([makePost('old')], { replace: true });
      expect(ids()).toEqual(['own', 'old']);
      expect(store.snapshot().pendingCount).toBe(1);
    });

    it('keeps what came while a later page was on its way, and lets go of what the page left out', () => {
      store.setReaderAtTopIdle(true);
      store.setPage([makePost('p0')], { replace: true });
      created(makePost('before', { minute: 1 }));
      const requestedAt = ++time;
      created(makePost('meanwhile', { minute: 2 }));
      store.setPage([makePost('p0')], { replace: true, requestedAt });
      expect(ids()).toEqual(['meanwhile', 'p0']);
    });

    it('takes a page that does not say when it was asked for as 30 s old at most', () => {
      store.setReaderAtTopIdle(true);
      store.setPage([], { replace: true });
      created(makePost('a'));
      time += 30_000;
      store.setPage([], { replace: true });
      expect(ids()).toEqual(['a']);
      time += 1;
      store.setPage([], { replace: true });
      expect(ids()).toEqual([]);
    });

    it('remembers updates, counters and deletions of posts whose page has not come', () => {
      store.apply({ type: 'post_updated', post: makePost('a', { version: 3, text: 'edited', minute: 2 }) });
      store.apply({ type: 'post_liked', postId: 'b', likesCount: 8, version: 4 });
      store.apply({ type: 'post_deleted', postId: 'c', version: 2 });
      runBatch();
      expect(ids()).toEqual([]);
      store.setPage([makePost('a', { minute: 2 }), makePost('b', { minute: 1 }), makePost('c')], { replace: true });
      expect(store.snapshot().posts).toMatchObject([{ id: 'a', content: { text: 'edited' } }, { id: 'b', metadata: { likesCount: 8, version: 4 } }]);
    });

    it('remembers no more than 200 of them', () => {
      for (let n = 0; n <= 200; n++) store.apply({ type: 'post_liked', postId: `p${n}`, likesCount: 1, version: 9 });
      store.setPage([makePost('p0', { minute: 1 }), makePost('p1')], { replace: true });
      expect(store.snapshot().posts.map((post) => post.metadata.likesCount)).toEqual([0, 1]);
    });
  });

  it('knows which posts were delivered by an event', () => {
    store.setPage([makePost('page')], { replace: true });
    created(makePost('event'));
    expect([store.wasDelivered('page'), store.wasDelivered('event')]).toEqual([false, true]);
  });

  it('changes nothing for malformed events', () => {
    const before = store.snapshot();
    const nonsense = [null, 7, 'p', [], {}, { id: 'p' }, { id: 'p', metadata: { version: '1' } }];
    for (const post of nonsense) for (const type of ['post_created', 'post_updated']) store.apply({ type, post });
    for (const postId of [null, 7, {}]) store.apply({ type: 'post_deleted', postId });
    store.apply({ type: 'post_liked', postId: 'p', likesCount: 'many', version: 1 });
    store.apply({ type: 'post_liked', postId: 'p', likesCount: 1 });
    runBatch();
    expect(store.snapshot()).toBe(before);
  });
});
