import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../../api/ApiError';
import type { createPost } from '../../api/posts';
import { aPost, nora } from '../../testing/aPost';
import { Feed } from './Feed';
import { Outbox, type OutboxOptions } from './Outbox';

const draft = { title: '', content: 'Hello' };
const busy = new ApiError({ status: 503, code: 'unavailable', message: 'The server is busy.' });

let feed: Feed;
let send: ReturnType<typeof vi.fn<typeof createPost>>;
let published: ReturnType<typeof vi.fn<OutboxOptions['published']>>;
let outbox: Outbox;

beforeEach(() => {
  feed = new Feed({ scope: 'following', readerId: nora.id, client: null });
  send = vi.fn<typeof createPost>();
  published = vi.fn<OutboxOptions['published']>();
  outbox = new Outbox({ author: nora, feeds: [feed], isConnected: () => true, published, send });
});

const shown = () => feed.store.snapshot().posts;

describe('Outbox', () => {
  it('shows the post at once, and the server’s in its place under the same key', async () => {
    let answer: (post: ReturnType<typeof aPost>) => void = () => {};
    send.mockImplementation(() => new Promise((resolve) => (answer = resolve)));
    const clientId = outbox.send(draft);
    expect(shown()).toMatchObject([{ localState: 'sending', clientId, content: { text: 'Hello' }, creator: { id: nora.id } }]);

    answer(aPost({ id: 'p9', creator: nora }));
    await vi.waitFor(() => expect(published).toHaveBeenCalledWith(expect.objectContaining({ id: 'p9' }), true));
    expect(shown()).toHaveLength(1);
    expect(shown()[0]).toMatchObject({ id: 'p9', clientId });
    expect(shown()[0]?.localState).toBeUndefined();
    expect(outbox.isEmpty).toBe(true);
  });

  it('keeps a failed post with the reason, and retries it with the same key', async () => {
    send.mockRejectedValueOnce(busy).mockResolvedValueOnce(aPost({ id: 'p9', creator: nora }));
    const clientId = outbox.send(draft);
    await vi.waitFor(() => expect(shown()[0]).toMatchObject({ localState: 'failed', failure: 'The server is busy.' }));
    expect(outbox.isEmpty).toBe(false);

    outbox.retry(clientId);
    await vi.waitFor(() => expect(shown()).toMatchObject([{ id: 'p9' }]));
    expect(send.mock.calls[1]?.[1]).toBe(send.mock.calls[0]?.[1]);
  });

  it('sends changed words with a new key, and only once on screen', async () => {
    send.mockRejectedValueOnce(busy).mockResolvedValueOnce(aPost({ id: 'p9', text: 'Hello again', creator: nora }));
    const clientId = outbox.send(draft);
    await vi.waitFor(() => expect(shown()[0]?.localState).toBe('failed'));
    expect(outbox.draftOf(clientId)).toEqual(draft);

    outbox.sendChanged(clientId, { title: '', content: 'Hello again' });
    await vi.waitFor(() => expect(shown()).toMatchObject([{ id: 'p9' }]));
    expect(send.mock.calls[1]?.[1]).not.toBe(send.mock.calls[0]?.[1]);
  });

  it('shows no second post when the broadcast comes before the answer', async () => {
    let answer: (post: ReturnType<typeof aPost>) => void = () => {};
    send.mockImplementation(() => new Promise((resolve) => (answer = resolve)));
    outbox.send(draft);
    const post = aPost({ id: 'p9', creator: nora, createdAt: new Date().toISOString() });
    feed.store.apply({ type: 'post_created', post, userId: nora.id });
    expect(shown()).toHaveLength(1);
    answer(post);
    await vi.waitFor(() => expect(published).toHaveBeenCalled());
    expect(shown()).toHaveLength(1);
  });

  it('forgets what is discarded', async () => {
    send.mockRejectedValueOnce(busy);
    const clientId = outbox.send(draft);
    await vi.waitFor(() => expect(shown()[0]?.localState).toBe('failed'));
    outbox.discard(clientId);
    expect(shown()).toHaveLength(0);
    expect(outbox.isEmpty).toBe(true);
  });
});
