import { readMe, signOut as askToSignOut, type User } from '../../api/accounts';
import { Observable } from '../../app/Observable';
import type { Toasts } from '../../app/Toasts';
import { Visit } from '../../app/Visit';

export type SessionState = { phase: 'loading' } | { phase: 'unreachable' } | { phase: 'ready'; visit: Visit };

/** Who is at the page. Signing in or out ends one visit and begins another, so that nothing of one reader is left for the next. */
export class Session {
  readonly state = new Observable<SessionState>({ phase: 'loading' });
  readonly #toasts: Toasts;

  constructor(toasts: Toasts) {
    this.#toasts = toasts;
  }

  async load(): Promise<void> {
    this.state.set({ phase: 'loading' });
    try {
      this.enter(await readMe());
    } catch {
      this.state.set({ phase: 'unreachable' });
    }
  }

  enter(user: User | null): void {
    this.#endVisit();
    const visit = new Visit(user, this.#toasts, () => this.#expired());
    this.state.set({ phase: 'ready', visit });
    visit.begin();
  }

  async signOut(): Promise<void> {
    try {
      await askToSignOut();
    } catch {
      this.#toasts.show('error', 'Signing out failed. Please try again.');
      return;
    }
    this.enter(null);
  }

  #expired(): void {
    this.#toasts.show('warning', 'Your session has ended. Please sign in again.');
    this.enter(null);
  }

  #endVisit(): void {
    const state = this.state.get();
    if (state.phase === 'ready') state.visit.end();
  }
}
