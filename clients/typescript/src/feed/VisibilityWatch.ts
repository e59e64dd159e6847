/** What the watch needs to know and may do. `visible` means: brought by the real-time side. */
export interface VisibilityHooks {
  isConnected(): boolean;
  isVisible(postId: string): boolean;
  /** Fetches the feed anew; rejects when that fails. */
  refresh(): Promise<void>;
  /** The post is late, but nothing is lost yet. */
  warn(postId: string): void;
  /** Even the refresh failed: offer a button. */
  notice(postId: string): void;
}

/** How an own post became visible: 1 by its event, 2 by a refresh at once since the connection was down, 3 by one after 5 s of silence, 4 not at all. */
export interface VisibilityReport {
  readonly postId: string;
  readonly level: 1 | 2 | 3 | 4;
  /** From the call of `watch`, that is the answer to the POST. */
  readonly milliseconds: number;
}

export interface VisibilityTimers {
  now(): number;
  setTimeout(callback: () => void, milliseconds: number): unknown;
  clearTimeout(timer: unknown): void;
}

const lookAfter = 1_000;
const warnAfter = 3_000;
const refreshAfter = 5_000;

interface Watched {
  readonly startedAt: number;
  readonly done: (report: VisibilityReport) => void;
  timer?: unknown;
}

/** The defences of an author's own post, used after its POST succeeded: nobody should wonder whether it was published. */
export class VisibilityWatch {
  readonly #hooks: VisibilityHooks;
  readonly #timers: VisibilityTimers;
  readonly #watched = new Map<string, Watched>();

  constructor(hooks: VisibilityHooks, timers: VisibilityTimers = browserTimers) {
    this.#hooks = hooks;
    this.#timers = timers;
  }

  /** Resolves once the post is visible, or a refresh for it succeeded or failed. `wasConnected`: when the post was sent, if that is known. */
  watch(postId: string, wasConnected: boolean = this.#hooks.isConnected()): Promise<VisibilityReport> {
    return new Promise((done) => {
      this.#drop(postId);
      const watched: Watched = { startedAt: this.#timers.now(), done };
      this.#watched.set(postId, watched);
      if (this.#hooks.isVisible(postId)) this.#report(postId, watched, 1);
      else if (!wasConnected) void this.#refresh(postId, watched, 2);
      else this.#later(postId, watched, lookAfter);
    });
  }

  /** Tells that the event came, so that the report is exact to the millisecond. Without it, the watch looks by itself. */
  delivered(postId: string): void {
    const watched = this.#watched.get(postId);
    if (watched !== undefined) this.#report(postId, watched, 1);
  }

  /** Forgets all posts; nothing more is looked at, refreshed or reported. */
  stop(): void {
    for (const postId of [...this.#watched.keys()]) this.#drop(postId);
  }

  #later(postId: string, watched: Watched, after: number): void {
    const delay = watched.startedAt + after - this.#timers.now();
    watched.timer = this.#timers.setTimeout(() => this.#look(postId, watched, after), Math.max(0, delay));
  }

  #look(postId: string, watched: Watched, after: number): void {
    if (this.#hooks.isVisible(postId)) {
      this.#report(postId, watched, 1);
      return;
    }
    if (after === refreshAfter) {
      void this.#refresh(postId, watched, 3);
      return;
    }
    // The next look first: a hook that throws must not end the watch.
    this.#later(postId, watched, after === lookAfter ? warnAfter : refreshAfter);
    if (after === warnAfter) this.#hooks.warn(postId);
  }

  async #refresh(postId: string, watched: Watched, level: 2 | 3): Promise<void> {
    try {
      await this.#hooks.refresh();
      this.#report(postId, watched, level);
    } catch {
      if (this.#report(postId, watched, 4)) this.#hooks.notice(postId);
    }
  }

  /** False when the post is not watched any more, or by a later watch. */
  #report(postId: string, watched: Watched, level: VisibilityReport['level']): boolean {
    if (this.#watched.get(postId) !== watched) return false;
    this.#drop(postId);
    watched.done({ postId, level, milliseconds: this.#timers.now() - watched.startedAt });
    return true;
  }

  #drop(postId: string): void {
    this.#timers.clearTimeout(this.#watched.get(postId)?.timer);
    this.#watched.delete(postId);
  }
}

const browserTimers: VisibilityTimers = {
  now: () => Date.now(),
  setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clearTimeout: (timer) => clearTimeout(timer as number),
};
