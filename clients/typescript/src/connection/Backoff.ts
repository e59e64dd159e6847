const base = 500;
const ceiling = 30_000;

/** The longest wait that a server may ask for: a mistyped `retry=` must not silence a page for a day. */
const longestAskedFor = 10 * 60_000;

/** How long to wait before attempt after attempt: full jitter, so that a thousand clients of a restarted server spread out. */
export class Backoff {
  #failures = 0;
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** How often in a row it was asked. */
  get failures(): number {
    return this.#failures;
  }

  /** `retryAfter` is what the server named: never sooner than that, and up to half as long again. */
  next(retryAfter?: number): number {
    const limit = Math.min(ceiling, base * 2 ** this.#failures);
    this.#failures++;
    if (retryAfter === undefined) return Math.round(this.#random() * limit);
    return Math.round(Math.min(retryAfter, longestAskedFor) * (1 + this.#random() / 2));
  }

  reset(): void {
    this.#failures = 0;
  }
}
