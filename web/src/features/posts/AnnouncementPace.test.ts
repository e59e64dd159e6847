import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AnnouncementPace } from './AnnouncementPace';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('AnnouncementPace', () => {
  it('speaks at once, then at most every ten seconds, and counts what came meanwhile', () => {
    const said: number[] = [];
    const pace = new AnnouncementPace((count) => said.push(count));
    pace.add(1);
    pace.add(2);
    pace.add(3);
    expect(said).toEqual([1]);
    vi.advanceTimersByTime(10_000);
    expect(said).toEqual([1, 5]);
    vi.advanceTimersByTime(30_000);
    expect(said).toEqual([1, 5]);
    pace.add(1);
    expect(said).toEqual([1, 5, 1]);
  });

  it('says nothing after it was stopped', () => {
    const said: number[] = [];
    const pace = new AnnouncementPace((count) => said.push(count));
    pace.add(1);
    pace.add(1);
    pace.stop();
    vi.advanceTimersByTime(20_000);
    expect(said).toEqual([1]);
  });
});
