/** What the client takes from the world around it. Tests put their own in its place; a page never needs to. */
export interface Environment {
  now(): number;
  setTimeout(callback: () => void, milliseconds: number): unknown;
  clearTimeout(timer: unknown): void;
  /** At least 0, less than 1. */
  random(): number;
  WebSocket: WebSocketConstructor | undefined;
  EventSource: EventSourceConstructor | undefined;
  fetch: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
  /** Hears `online`, `offline` and `websocket-event`. */
  window: Listenable | undefined;
  /** Hears `visibilitychange`. */
  document: (Listenable & { readonly visibilityState: string }) | undefined;
  isOnline(): boolean;
  /** Where an exception of a handler goes; it must not throw. */
  reportError(error: unknown): void;
}

export interface Listenable {
  addEventListener(type: string, listener: (event: Event) => void): void;
  removeEventListener(type: string, listener: (event: Event) => void): void;
}

/** As much of the browser's `WebSocket` as is used. */
export interface SocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}
export type WebSocketConstructor = new (url: string, protocols: string[]) => SocketLike;

/** As much of the browser's `EventSource` as is used. */
export interface EventSourceLike {
  onmessage: ((event: { data: unknown; lastEventId: string }) => void) | null;
  onerror: ((event: never) => void) | null;
  close(): void;
}
export type EventSourceConstructor = new (url: string, init: { withCredentials: boolean }) => EventSourceLike;

/** The browser's (or Node's) own, looked up at each call so that a page may polyfill late and a test may fake timers. */
export function browserEnvironment(): Environment {
  const page = globalThis as typeof globalThis & { window?: Listenable; document?: Environment['document'] };
  return {
    now: () => Date.now(),
    setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
    clearTimeout: (timer) => clearTimeout(timer as number),
    random: () => Math.random(),
    WebSocket: page.WebSocket as unknown as WebSocketConstructor | undefined,
    EventSource: page.EventSource as unknown as EventSourceConstructor | undefined,
    fetch: page.fetch === undefined ? undefined : (url, init) => page.fetch(url, init),
    window: page.window,
    document: page.document,
    // Node has a navigator without onLine: only a plain `false` means offline.
    isOnline: () => page.navigator?.onLine !== false,
    reportError: (error) => {
      if (typeof page.reportError === 'function') page.reportError(error);
      else console.error(error);
    },
  };
}
