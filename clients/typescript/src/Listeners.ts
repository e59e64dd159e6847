/** A set of listeners in which one that throws does not break the others. */
export class Listeners<T> {
  readonly #listeners = new Set<{ call: (value: T) => void }>();
  readonly #reportError: (error: unknown) => void;

  constructor(reportError: (error: unknown) => void) {
    this.#reportError = reportError;
  }

  get size(): number {
    return this.#listeners.size;
  }

  /** The same function may be added twice and is then called twice; the returned function removes this one only. */
  add(listener: (value: T) => void): () => void {
    const entry = { call: listener };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  emit(value: T): void {
    for (const { call } of [...this.#listeners]) {
      try {
        call(value);
      } catch (error) {
        this.#reportError(error);
      }
    }
  }
}
