import { describe, expect, it, vi } from 'vitest';
import { ApiError } from '../../api/ApiError';
import type { listPosts } from '../../api/posts';
import { aPost, lin, nora } from '../../testing/aPost';
import { Feed } from './Feed';

const page = (...ids: string[]) => ({ posts: ids.map((id) => aPost({ id })), nextCursor: null, positions: {} });
const created = (id: string) => ({ type: 'post_created', post: aPost({ id, creator: lin, createdAt: new Date().toISOString() }), userId: lin.id });

function aFeed(list: ReturnType<typeof vi.fn<typeof listPosts>>): Feed {
  return new Feed({ scope: 'following', readerId: nora.id, client: null, list });
}

const shown = (feed: Feed) => feed.store.snapshot().posts.map(({ id }) => id);

describe('Feed', () => {
  it('reads once, however often it is started', async () => {
    const list = vi.fn<typeof listPosts>().mockResolvedValue(page('p1'));
    const feed = aFeed(list);
    feed.start();
    feed.leave();
    feed.start();
    await vi.waitFor(() => expect(shown(feed)).toEqual(['p1']));
    feed.start();
    expect(list).toHaveBeenCalledTimes(1);
  });

  it('says what went wrong, and reads again when asked', async () => {
    const list = vi.fn<typeof listPosts>().mockRejectedValueOnce(ApiError.unreachable()).mockResolvedValueOnce(page('p1'));
    const feed = aFeed(list);
    feed.start();
    await vi.waitFor(() => expect(feed.state.get()).toMatchObject({ phase: 'failed' }));
    expect(await feed.refresh()).toBe(true);
    expect(feed.state.get()).toMatchObject({ phase: 'ready', error: null });
  });

  it('inserts what waits together with what comes, when the reader is idle at the top again', async () => {
    const feed = aFeed(vi.fn<typeof listPosts>().mockResolvedValue(page('p1')));
    feed.start();
    await vi.waitFor(() => expect(shown(feed)).toEqual(['p1']));
    feed.hear(created('p2'));
    await vi.waitFor(() => expect(feed.store.snapshot().pendingCount).toBe(1));
    feed.setReaderAtTopIdle(true);
    expect(shown(feed)).toEqual(['p1']);
    feed.hear(created('p3'));
    await vi.waitFor(() => expect(shown(feed).sort()).toEqual(['p1', 'p2', 'p3']));
    expect(feed.store.snapshot().pendingCount).toBe(0);
  });

  it('adds a mere number to the button, and reads when it is pressed', async () => {
    const list = vi.fn<typeof listPosts>().mockResolvedValue(page('p1'));
    const feed = aFeed(list);
    feed.start();
    await vi.waitFor(() => expect(feed.state.get().phase).toBe('ready'));
    feed.hear({ type: 'feed_update', reason: 'busy', count: 70 });
    expect(feed.state.get().untold).toBe(70);
    feed.showNew();
    await vi.waitFor(() => expect(feed.state.get().untold).toBe(0));
    expect(list).toHaveBeenCalledTimes(2);
  });

  it('reads anew at the next look, not behind the reader’s back', async () => {
    const list = vi.fn<typeof listPosts>().mockResolvedValue(page('p1'));
    const feed = aFeed(list);
    feed.start();
    await vi.waitFor(() => expect(feed.state.get().phase).toBe('ready'));
    feed.leave();
    feed.refreshSoon();
    expect(list).toHaveBeenCalledTimes(1);
    feed.start();
    expect(list).toHaveBeenCalledTimes(2);
    await vi.waitFor(() => expect(feed.state.get().phase).toBe('ready'));
  });
});
