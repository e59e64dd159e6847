import { Observable } from './Observable';

export interface Place {
  path: string;
  search: URLSearchParams;
}

/** The address bar as a value. Going back returns to where one was on that page. */
export class Router {
  readonly place: Observable<Place>;
  readonly #scrolls = new Map<number, number>();
  #entry = 0;
  #last = 0;

  constructor() {
    this.place = new Observable(here());
    history.scrollRestoration = 'manual';
    this.#entry = this.#last = entryOf(history.state) ?? 0;
    history.replaceState({ entry: this.#entry }, '');
    window.addEventListener('popstate', this.#onPop);
  }

  go(to: string, options: { replace?: boolean } = {}): void {
    if (options.replace) {
      history.replaceState({ entry: this.#entry }, '', to);
    } else {
      this.#scrolls.set(this.#entry, window.scrollY);
      this.#entry = ++this.#last;
      history.pushState({ entry: this.#entry }, '', to);
    }
    this.place.set(here());
    if (!options.replace) scrollWhenDrawn(0);
  }

  close(): void {
    window.removeEventListener('popstate', this.#onPop);
  }

  readonly #onPop = (event: PopStateEvent): void => {
    this.#scrolls.set(this.#entry, window.scrollY);
    this.#entry = entryOf(event.state) ?? 0;
    this.place.set(here());
    scrollWhenDrawn(this.#scrolls.get(this.#entry) ?? 0);
  };
}

function here(): Place {
  return { path: location.pathname.replace(/\/+$/, '') || '/', search: new URLSearchParams(location.search) };
}

function entryOf(state: unknown): number | null {
  const entry = (state as { entry?: unknown } | null)?.entry;
  return typeof entry === 'number' ? entry : null;
}

function scrollWhenDrawn(top: number): void {
  requestAnimationFrame(() => window.scrollTo({ top, behavior: 'instant' }));
}
