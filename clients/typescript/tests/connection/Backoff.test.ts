import { describe, expect, it } from 'vitest';
import { Backoff } from '../../src/connection/Backoff.ts';

describe('Backoff', () => {
  it('doubles its limit from 500 ms to 30 s, with full jitter below it', () => {
    const longest = new Backoff(() => 0.999_999);
    expect(Array.from({ length: 8 }, () => longest.next())).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    const shortest = new Backoff(() => 0);
    expect([shortest.next(), shortest.next(), shortest.next()]).toEqual([0, 0, 0]);
  });

  it('starts from the shortest again after a reset', () => {
    const backoff = new Backoff(() => 0.5);
    backoff.next();
    backoff.next();
    backoff.reset();
    expect(backoff.next()).toBe(250);
    expect(backoff.failures).toBe(1);
  });

  it.each([
    [0, 4_000],
    [0.5, 5_000],
    [1, 6_000],
  ])('never comes sooner than the server asked for (luck %d)', (luck, expected) => {
    expect(new Backoff(() => luck).next(4_000)).toBe(expected);
  });

  it('does not let a server silence a page for a day', () => {
    expect(new Backoff(() => 0).next(86_400_000)).toBe(600_000);
  });
});
