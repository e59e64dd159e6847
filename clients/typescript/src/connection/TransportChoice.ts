import type { TransportName } from './ConnectionState.ts';

const failuresBeforeFall = 2;
const returnAfter = 5 * 60_000;

/**
 * Which transport to try next. One that can't be established twice in a row gives way to the next; the one that worked is remembered;
 * after five minutes on a lesser one, the next attempt goes to the first again, and a single failure leads back.
 */
export class TransportChoice {
  readonly #order: readonly TransportName[];
  readonly #now: () => number;
  readonly #everWorked = new Set<TransportName>();
  #index = 0;
  #failures = 0;
  #fellAt = 0;
  #remembered: number | null = null;

  constructor(order: readonly TransportName[], now: () => number) {
    this.#order = order;
    this.#now = now;
  }

  /** Undefined when there is none at all. */
  next(): TransportName | undefined {
    if (this.#index > 0 && this.#now() - this.#fellAt >= returnAfter) {
      this.#index = 0;
      this.#failures = failuresBeforeFall - 1;
    }
    return this.#order[this.#index];
  }

  worked(): void {
    this.#failures = 0;
    this.#remembered = this.#index;
    this.#everWorked.add(this.#order[this.#index] as TransportName);
  }

  /** `outright`: there is no point in a second try, such as after a timeout, which already took long. */
  failed(outright: boolean): void {
    this.#failures += outright ? failuresBeforeFall : 1;
    if (this.#failures < failuresBeforeFall) return;
    this.#failures = 0;
    const cameBack = this.#index === 0 && this.#remembered !== null && this.#remembered > 0;
    // From the last back to the first: when none can be established it is the server that is away, not a transport.
    this.#index = cameBack ? (this.#remembered as number) : (this.#index + 1) % this.#order.length;
    // What was remembered is trusted once; if it fails as well, everything is tried in order again.
    if (cameBack) this.#remembered = null;
    if (this.#index > 0) this.#fellAt = this.#now();
  }

  /**
   * How long to stay on the present transport before a better one is tried although nothing is wrong, or null. Only for one that
   * has worked on this page before: there it was an outage that led here, not a network that blocks it.
   */
  stay(): number | null {
    const betterWorked = this.#order.slice(0, this.#index).some((name) => this.#everWorked.has(name));
    return betterWorked ? Math.max(0, this.#fellAt + returnAfter - this.#now()) : null;
  }
}
