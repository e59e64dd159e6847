import { describe, expect, it, vi } from 'vitest';
import { Toasts } from '../../app/Toasts';
import { aPost } from '../../testing/aPost';
import { Likes } from './Likes';

type Send = ConstructorParameters<typeof Likes>[1];

describe('Likes', () => {
  it('shows a click at once and keeps the server’s count until a later version brings another', async () => {
    const likes = new Likes(new Toasts(), () => Promise.resolve({ likesCount: 8, liked: true }));
    const post = aPost({ likesCount: 4, version: 3 });
    likes.seen(post);
    likes.toggle(post);
    expect(likes.of('p1').get()).toMatchObject({ liked: true, count: 5 });
    await vi.waitFor(() => expect(likes.of('p1').get()).toMatchObject({ liked: true, count: 8 }));

    likes.seen(post);
    expect(likes.of('p1').get().count).toBe(8);
    likes.seen(aPost({ likesCount: 9, version: 4 }));
    expect(likes.of('p1').get()).toMatchObject({ liked: true, count: null });
  });

  it('takes the click back and says so when the server refuses', async () => {
    const toasts = new Toasts();
    const likes = new Likes(toasts, () => Promise.reject(new Error('no')));
    likes.toggle(aPost({ likesCount: 4 }));
    await vi.waitFor(() => expect(likes.of('p1').get()).toMatchObject({ liked: false, count: null }));
    expect(toasts.shown.get()).toMatchObject([{ tone: 'error' }]);
  });

  it('sends one request at a time, and ends with what was clicked last', async () => {
    const answers: (() => void)[] = [];
    const send = vi.fn<NonNullable<Send>>((_id, liked) => new Promise((resolve) => answers.push(() => resolve({ likesCount: liked ? 5 : 4, liked }))));
    const likes = new Likes(new Toasts(), send);
    const post = aPost({ likesCount: 4 });
    likes.toggle(post);
    likes.toggle(post);
    expect(send).toHaveBeenCalledTimes(1);
    answers[0]?.();
    await vi.waitFor(() => expect(send).toHaveBeenCalledTimes(2));
    answers[1]?.();
    await vi.waitFor(() => expect(likes.of('p1').get()).toMatchObject({ liked: false, count: 4 }));
    expect(send.mock.calls.map(([, liked]) => liked)).toEqual([true, false]);
  });

  it('learns from pages and from other tabs', () => {
    const likes = new Likes(new Toasts());
    likes.learn(['p1', 'p2'], ['p2']);
    expect(likes.of('p2').get().liked).toBe(true);
    likes.heard('p1', true);
    expect(likes.of('p1').get().liked).toBe(true);
  });
});
