import { beforeEach, describe, expect, it, vi } from 'vitest';
import { VisibilityWatch } from '../../src/feed/VisibilityWatch.ts';
import { FakeWorld, settle } from '../support/FakeWorld.ts';

describe('VisibilityWatch', () => {
  let world: FakeWorld;
  let visible: Set<string>;
  let connected: boolean;
  const refresh = vi.fn<() => Promise<void>>();
  const warn = vi.fn<(postId: string) => void>();
  const notice = vi.fn<(postId: string) => void>();
  let watch: VisibilityWatch;

  beforeEach(() => {
    world = new FakeWorld();
    visible = new Set();
    connected = true;
    refresh.mockReset().mockResolvedValue();
    warn.mockReset();
    notice.mockReset();
    const hooks = { isConnected: () => connected, isVisible: (postId: string) => visible.has(postId), refresh, warn, notice };
    watch = new VisibilityWatch(hooks, world.environment());
  });

  it('1: reports a post at once that the event brought before the answer', async () => {
    visible.add('p');
    await expect(watch.watch('p')).resolves.toEqual({ postId: 'p', level: 1, milliseconds: 0 });
    expect(world.timerCount).toBe(0);
  });

  it('1: reports to the millisecond when it is told of the event', async () => {
    const report = watch.watch('p');
    await world.advance(37);
    watch.delivered('other');
    watch.delivered('p');
    await expect(report).resolves.toEqual({ postId: 'p', level: 1, milliseconds: 37 });
    await world.advance(10_000);
    expect([refresh, warn, notice].map((hook) => hook.mock.calls.length)).toEqual([0, 0, 0]);
  });

  it.each([
    [1_000, 0],
    [3_000, 0],
    [5_000, 1],
  ])('1: finds it when it looks after %d ms, having warned %d times', async (milliseconds, warnings) => {
    const report = watch.watch('p');
    await world.advance(milliseconds - 1);
    visible.add('p');
    await world.advance(1);
    await expect(report).resolves.toEqual({ postId: 'p', level: 1, milliseconds });
    expect(warn).toHaveBeenCalledTimes(warnings);
    expect(refresh).not.toHaveBeenCalled();
  });

  it('2: refreshes at once when the connection was down', async () => {
    connected = false;
    await expect(watch.watch('p')).resolves.toMatchObject({ level: 2, milliseconds: 0 });
    expect(refresh).toHaveBeenCalledOnce();
    expect(warn).not.toHaveBeenCalled();
  });

  it('2: goes by the moment when the post was sent, if that is known', async () => {
    await expect(watch.watch('p', false)).resolves.toMatchObject({ level: 2 });
    connected = false;
    void watch.watch('q', true);
    await settle();
    expect(refresh).toHaveBeenCalledOnce();
  });

  it('3: warns after 3 s and refreshes after 5 s', async () => {
    const report = watch.watch('p');
    await world.advance(2_999);
    expect(warn).not.toHaveBeenCalled();
    await world.advance(1);
    expect(warn).toHaveBeenCalledExactlyOnceWith('p');
    await world.advance(1_999);
    expect(refresh).not.toHaveBeenCalled();
    await world.advance(1);
    await expect(report).resolves.toEqual({ postId: 'p', level: 3, milliseconds: 5_000 });
    expect(refresh).toHaveBeenCalledOnce();
    expect(notice).not.toHaveBeenCalled();
  });

  it('4: gives notice when the refresh fails too', async () => {
    refresh.mockRejectedValue(new Error('down'));
    const report = watch.watch('p');
    await world.advance(5_000);
    await expect(report).resolves.toEqual({ postId: 'p', level: 4, milliseconds: 5_000 });
    expect(notice).toHaveBeenCalledExactlyOnceWith('p');
    connected = false;
    await expect(watch.watch('q')).resolves.toMatchObject({ level: 4 });
  });

  it('4: gives no notice when the event came during the refresh', async () => {
    let failRefresh: (error: Error) => void = () => {};
    refresh.mockReturnValue(new Promise((_, reject) => (failRefresh = reject)));
    const report = watch.watch('p');
    await world.advance(5_200);
    watch.delivered('p');
    failRefresh(new Error('down'));
    await expect(report).resolves.toMatchObject({ level: 1, milliseconds: 5_200 });
    expect(notice).not.toHaveBeenCalled();
  });

  it('watches several posts, and none after stop()', async () => {
    void watch.watch('p');
    await world.advance(500);
    void watch.watch('q');
    await world.advance(2_500);
    expect(warn.mock.calls).toEqual([['p']]);
    watch.stop();
    await world.advance(10_000);
    expect(warn).toHaveBeenCalledOnce();
    expect(refresh).not.toHaveBeenCalled();
    expect(world.timerCount).toBe(0);
  });
});
