import type { Environment } from '../browserEnvironment.ts';

/** Calls back when nothing was heard for a while. A half-open connection looks like a quiet one until somebody asks. */
export class SilenceWatch {
  readonly #environment: Environment;
  readonly #onSilence: () => void;
  #timer: unknown;

  constructor(environment: Environment, onSilence: () => void) {
    this.#environment = environment;
    this.#onSilence = onSilence;
  }

  /** Something was heard: the time starts anew. */
  restart(milliseconds: number): void {
    this.stop();
    this.#timer = this.#environment.setTimeout(this.#onSilence, milliseconds);
  }

  stop(): void {
    this.#environment.clearTimeout(this.#timer);
  }
}
