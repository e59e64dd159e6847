/** A token, or how to get one. A function is asked for each attempt to connect and for renewal; null means the cookie, or anonymous. */
export type TokenOption = string | (() => string | null | Promise<string | null>);

/** Where tokens come from, and what is left when one was refused. */
export class TokenSource {
  readonly #option: TokenOption | undefined;
  #refused: string | null | undefined;
  #last: string | null = null;

  constructor(option: TokenOption | undefined) {
    this.#option = option;
  }

  /** Undefined when there is none but the refused one. Rejects when the function does: that passes, a refusal does not. */
  async next(): Promise<string | null | undefined> {
    const token = typeof this.#option === 'function' ? ((await this.#option()) ?? null) : (this.#option ?? null);
    if (token === this.#refused) return undefined;
    this.#last = token;
    return token;
  }

  /** Whether it is of use to ask again before the present token expires. */
  get canRenew(): boolean {
    return typeof this.#option === 'function';
  }

  /** The server did not take the last one. */
  refuse(): void {
    this.#refused = this.#last;
  }

  /** The server took the last one; it may expire later, but is not bad. */
  accept(): void {
    this.#refused = undefined;
  }
}
