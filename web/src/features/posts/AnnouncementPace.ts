const shortestPause = 10_000;

/** Collects how many posts are new and says so at most every ten seconds, so that a busy feed does not talk without end. */
export class AnnouncementPace {
  readonly #say: (count: number) => void;
  #count = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(say: (count: number) => void) {
    this.#say = say;
  }

  add(count: number): void {
    if (count <= 0) return;
    this.#count += count;
    if (this.#timer === undefined) this.#speak();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#count = 0;
  }

  #speak(): void {
    if (this.#count === 0) {
      this.#timer = undefined;
      return;
    }
    const count = this.#count;
    this.#count = 0;
    this.#timer = setTimeout(() => this.#speak(), shortestPause);
    this.#say(count);
  }
}
