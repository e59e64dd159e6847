import { describe, expect, it } from 'vitest';
import { closeVerdict } from '../../src/connection/closeVerdict.ts';

describe('closeVerdict', () => {
  it.each([
    [1000, 'yes'],
    [1001, 'yes'],
    [1003, 'no'],
    [1006, 'yes'],
    [1007, 'no'],
    [1009, 'no'],
    [1011, 'yes'],
    [4400, 'no'],
    [4401, 'with-new-token'],
    [4403, 'no'],
    [4408, 'yes'],
    [4409, 'yes'],
    [4429, 'yes'],
    [4503, 'yes'],
  ])('after %d the client may reconnect: %s', (code, mayReconnect) => {
    expect(closeVerdict(code, '').mayReconnect).toBe(mayReconnect);
  });

  it.each([
    ['retry=1500', 1_500],
    ['going away; retry=20', 20],
    ['shutdown, retry=0', 0],
    ['noretry=5', undefined],
    ['retry=soon', undefined],
    ['', undefined],
  ])('reads %j as a wait of %s', (reason, expected) => {
    expect(closeVerdict(1001, reason).retryAfter).toBe(expected);
  });

  it('knows the codes that no server sends', () => {
    expect([1002, 1005, 1006, 1015, 1001, 4401, 4503].map((code) => closeVerdict(code, '').byServer)).toEqual([false, false, false, false, true, true, true]);
  });
});
