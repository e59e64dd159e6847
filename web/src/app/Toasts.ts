import { Observable } from './Observable';

export interface Toast {
  id: number;
  tone: 'success' | 'warning' | 'error' | 'neutral';
  text: string;
}

const shortestStay = 5_000;
const mostAtOnce = 3;

/** Short messages that go by themselves, after at least five seconds; while one is pointed at or focused, all stay. */
export class Toasts {
  readonly shown = new Observable<readonly Toast[]>([]);
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();
  #nextId = 1;
  #held = false;

  show(tone: Toast['tone'], text: string): void {
    const last = this.shown.get().find((toast) => toast.text === text);
    if (last !== undefined) this.dismiss(last.id);
    const toast: Toast = { id: this.#nextId++, tone, text };
    for (const old of this.shown.get().slice(0, -(mostAtOnce - 1))) this.dismiss(old.id);
    this.shown.set([...this.shown.get(), toast]);
    if (!this.#held) this.#startTimer(toast);
  }

  dismiss(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.shown.set(this.shown.get().filter((toast) => toast.id !== id));
  }

  hold(held: boolean): void {
    if (held === this.#held) return;
    this.#held = held;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    if (!held) for (const toast of this.shown.get()) this.#startTimer(toast);
  }

  #startTimer(toast: Toast): void {
    const stay = shortestStay + toast.text.length * 30;
    this.#timers.set(toast.id, setTimeout(() => this.dismiss(toast.id), stay));
  }
}
