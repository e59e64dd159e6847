import { Observable } from '../../app/Observable';

const quietAfter = 3_000;
/** Browsers report fractions and rubber-banding as a few pixels. */
const topWithin = 4;

export interface ReaderSurroundings {
  window: Window;
  document: Document;
  now: () => number;
}

/**
 * Whether posts may be put above what is on screen without moving what somebody reads: at the very top, the tab visible, nothing in
 * the feed under the keyboard's focus, and no pointer or key used for three seconds. Arriving and doing nothing counts as idle.
 * Who asked for less motion is never idle: new posts wait behind the button.
 */
export class ReaderActivity {
  readonly atTopIdle = new Observable(false);
  readonly #around: ReaderSurroundings;
  #feed: Element | null = null;
  #lastUse = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stop: (() => void) | null = null;

  constructor(around: ReaderSurroundings = { window, document, now: () => performance.now() }) {
    this.#around = around;
  }

  start(feed: Element): void {
    this.stop();
    const { window, document } = this.#around;
    this.#feed = feed;
    const ended = new AbortController();
    const passive = { passive: true, capture: true, signal: ended.signal };
    for (const use of ['pointermove', 'pointerdown', 'wheel', 'touchmove', 'keydown']) window.addEventListener(use, this.#used, passive);
    for (const change of ['scroll', 'focusin', 'focusout', 'blur', 'focus']) window.addEventListener(change, this.#update, passive);
    document.addEventListener('visibilitychange', this.#update, { signal: ended.signal });
    this.#stop = () => ended.abort();
    this.#update();
  }

  stop(): void {
    this.#stop?.();
    this.#stop = null;
    this.#feed = null;
    clearTimeout(this.#timer);
    this.atTopIdle.set(false);
  }

  readonly #used = (): void => {
    this.#lastUse = this.#around.now();
    this.#update();
  };

  readonly #update = (): void => {
    clearTimeout(this.#timer);
    const quietFor = this.#around.now() - this.#lastUse;
    if (quietFor < quietAfter) this.#timer = setTimeout(this.#update, quietAfter - quietFor);
    this.atTopIdle.set(quietFor >= quietAfter && this.#isAtRestOnTop());
  };

  #isAtRestOnTop(): boolean {
    const { window, document } = this.#around;
    if (this.#feed === null || document.visibilityState !== 'visible' || window.scrollY > topWithin) return false;
    if (window.matchMedia('(prefers-reduced-motion: reduce)').matches) return false;
    return this.#feed.querySelector(':focus-visible') === null;
  }
}
