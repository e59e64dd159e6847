import type { TidingsEvent } from '@tidings/client';
import { afterEach, expect, it, vi } from 'vitest';
import { answerWith, json, problem } from '../../testing/answers';
import { aPost } from '../../testing/aPost';
import { ScheduledPosts } from './ScheduledPosts';

afterEach(() => vi.unstubAllGlobals());

const target = (status: string) => ({ id: 't1', platform: 'webhook', handle: 'blog', status });

function told(status: string, targetStatus: string): TidingsEvent {
  return { type: 'post_status', id: `e-${status}`, postId: 'p1', status, targets: [{ id: 't1', platform: 'webhook', status: targetStatus }] } as unknown as TidingsEvent;
}

function serve(scheduled: () => boolean, ask: () => void = () => undefined) {
  answerWith(({ path }) => {
    if (path.startsWith('/api/posts?')) return json({ posts: scheduled() ? [aPost({ id: 'p1', text: 'Soon' })] : [], positions: {} });
    if (path === '/api/posts/p1/targets') {
      ask();
      return json({ postId: 'p1', status: 'scheduled', targets: [target('pending')] });
    }
    return problem(404, 'not_found');
  });
}

it('shows what an event says, with the name of the account, which events leave out', async () => {
  serve(() => true);
  const posts = new ScheduledPosts();
  await posts.begin(null, 'u1');
  posts.hear(told('publishing', 'sending'));
  expect(posts.state.get().posts).toMatchObject([{ id: 'p1', status: 'publishing', targets: [{ ...target('sending') }] }]);
});

it('keeps a post that was published while somebody looks', async () => {
  let isScheduled = true;
  serve(() => isScheduled);
  const posts = new ScheduledPosts();
  await posts.begin(null, 'u1');
  posts.hear(told('published', 'succeeded'));
  isScheduled = false;
  await posts.load();
  expect(posts.state.get().posts).toMatchObject([{ id: 'p1', status: 'published' }]);
});

it('believes an event that came while the list was read rather than the list', async () => {
  const posts = new ScheduledPosts();
  serve(
    () => true,
    () => posts.hear(told('published', 'succeeded')),
  );
  await posts.begin(null, 'u1');
  expect(posts.state.get().posts).toMatchObject([{ status: 'published', targets: [{ status: 'succeeded' }] }]);
});

it('says why the list could not be read', async () => {
  answerWith(() => problem(503, 'unavailable'));
  const posts = new ScheduledPosts();
  await posts.begin(null, 'u1');
  expect(posts.state.get()).toMatchObject({ posts: null, error: expect.any(String) });
});
