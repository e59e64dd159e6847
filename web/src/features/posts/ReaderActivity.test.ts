import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ReaderActivity } from './ReaderActivity';

let feed: HTMLElement;
let scrollY = 0;
let visibility: DocumentVisibilityState = 'visible';
let lessMotion = false;

beforeEach(() => {
  vi.useFakeTimers();
  scrollY = 0;
  visibility = 'visible';
  lessMotion = false;
  vi.spyOn(window, 'scrollY', 'get').mockImplementation(() => scrollY);
  vi.spyOn(document, 'visibilityState', 'get').mockImplementation(() => visibility);
  vi.spyOn(window, 'matchMedia').mockImplementation(() => ({ matches: lessMotion }) as MediaQueryList);
  feed = document.body.appendChild(document.createElement('div'));
});

afterEach(() => {
  feed.remove();
  vi.useRealTimers();
});

function started(): ReaderActivity {
  const activity = new ReaderActivity({ window, document, now: () => Date.now() });
  activity.start(feed);
  return activity;
}

describe('ReaderActivity', () => {
  it('takes who has just arrived and does nothing for idle', () => {
    expect(started().atTopIdle.get()).toBe(true);
  });

  it.each(['pointermove', 'keydown', 'wheel', 'touchmove'])('is not idle for three seconds after %s', (use) => {
    const activity = started();
    window.dispatchEvent(new Event(use));
    expect(activity.atTopIdle.get()).toBe(false);
    vi.advanceTimersByTime(2_900);
    expect(activity.atTopIdle.get()).toBe(false);
    vi.advanceTimersByTime(200);
    expect(activity.atTopIdle.get()).toBe(true);
  });

  it('is not idle away from the top, and is again when back', () => {
    const activity = started();
    scrollY = 300;
    window.dispatchEvent(new Event('scroll'));
    expect(activity.atTopIdle.get()).toBe(false);
    scrollY = 0;
    window.dispatchEvent(new Event('scroll'));
    expect(activity.atTopIdle.get()).toBe(true);
  });

  it('is not idle in a hidden tab', () => {
    const activity = started();
    visibility = 'hidden';
    document.dispatchEvent(new Event('visibilitychange'));
    expect(activity.atTopIdle.get()).toBe(false);
  });

  it('is not idle while the keyboard is in the feed', () => {
    const activity = started();
    vi.spyOn(feed, 'querySelector').mockReturnValue(feed);
    window.dispatchEvent(new Event('focusin'));
    expect(activity.atTopIdle.get()).toBe(false);
  });

  it('is never idle for who asked for less motion', () => {
    lessMotion = true;
    expect(started().atTopIdle.get()).toBe(false);
  });

  it('hears nothing after it was stopped', () => {
    const activity = started();
    activity.stop();
    window.dispatchEvent(new Event('scroll'));
    vi.advanceTimersByTime(10_000);
    expect(activity.atTopIdle.get()).toBe(false);
  });
});
