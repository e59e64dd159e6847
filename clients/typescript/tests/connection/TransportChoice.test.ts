import { beforeEach, describe, expect, it } from 'vitest';
import { TransportChoice } from '../../src/connection/TransportChoice.ts';

const fiveMinutes = 5 * 60_000;

describe('TransportChoice', () => {
  let time: number;
  let choice: TransportChoice;
  beforeEach(() => {
    time = 0;
    choice = new TransportChoice(['websocket', 'sse', 'poll'], () => time);
  });

  const fail = (times: number): void => {
    for (let i = 0; i < times; i++) {
      choice.next();
      choice.failed(false);
    }
  };

  it('falls to the next after two failures in a row, and from the last to the first', () => {
    const tried = Array.from({ length: 7 }, () => {
      const name = choice.next();
      choice.failed(false);
      return name;
    });
    expect(tried).toEqual(['websocket', 'websocket', 'sse', 'sse', 'poll', 'poll', 'websocket']);
  });

  it('does not count failures that a success came between', () => {
    fail(1);
    choice.worked();
    fail(1);
    expect(choice.next()).toBe('websocket');
  });

  it('falls at once after a timeout', () => {
    choice.failed(true);
    expect(choice.next()).toBe('sse');
  });

  it('stays with what worked, and tries the first again after five minutes', () => {
    fail(2);
    choice.worked();
    time = fiveMinutes - 1;
    expect(choice.next()).toBe('sse');
    time = fiveMinutes;
    expect(choice.next()).toBe('websocket');
  });

  it('goes back to what worked after a single failure of that trial', () => {
    fail(2);
    choice.worked();
    time = fiveMinutes;
    fail(1);
    expect(choice.next()).toBe('sse');
    time += fiveMinutes - 1;
    expect(choice.next()).toBe('sse');
  });

  it('asks to leave a lesser transport only when a better one has worked before', () => {
    fail(2);
    choice.worked();
    expect(choice.stay()).toBeNull();

    const other = new TransportChoice(['websocket', 'sse'], () => time);
    other.worked();
    expect(other.stay()).toBeNull();
    other.failed(true);
    other.worked();
    time += 1_000;
    expect(other.stay()).toBe(fiveMinutes - 1_000);
  });

  it('offers nothing where there is nothing', () => {
    expect(new TransportChoice([], () => 0).next()).toBeUndefined();
  });
});
