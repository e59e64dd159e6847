import type { Environment, EventSourceLike, Listenable, SocketLike } from '../../src/browserEnvironment.ts';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** A browser in a box: its clock stands still until it is advanced, and tests play the server by hand. */
export class FakeWorld {
  readonly sockets: FakeSocket[] = [];
  readonly sources: FakeEventSource[] = [];
  readonly requests: FakeRequest[] = [];
  readonly errors: unknown[] = [];
  readonly window = new EventTarget();
  readonly document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  time = 1_000_000;
  online = true;
  /** What `Math.random` would return. */
  luck = 0.5;
  readonly #timers = new Set<Timer>();

  environment(): Environment {
    const { sockets, sources } = this;
    return {
      now: () => this.time,
      setTimeout: (callback, milliseconds) => {
        const timer = { at: this.time + milliseconds, callback };
        this.#timers.add(timer);
        return timer;
      },
      clearTimeout: (timer) => void this.#timers.delete(timer as Timer),
      random: () => this.luck,
      WebSocket: class extends FakeSocket {
        constructor(url: string, protocols: string[]) {
          super(url, protocols);
          sockets.push(this);
        }
      },
      EventSource: class extends FakeEventSource {
        constructor(url: string, init: { withCredentials: boolean }) {
          super(url, init);
          sources.push(this);
        }
      },
      fetch: (url, init) => new Promise((resolve, reject) => this.requests.push(new FakeRequest(url, init, resolve, reject))),
      window: this.window as Listenable,
      document: this.document as unknown as NonNullable<Environment['document']>,
      isOnline: () => this.online,
      reportError: (error) => void this.errors.push(error),
    };
  }

  get socket(): FakeSocket {
    return last(this.sockets);
  }

  get source(): FakeEventSource {
    return last(this.sources);
  }

  get request(): FakeRequest {
    return last(this.requests);
  }

  get timerCount(): number {
    return this.#timers.size;
  }

  /** Runs what is due, in order, and lets promises settle in between. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds;
    await settle();
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.time = Math.max(this.time, due.at);
      due.callback();
      await settle();
    }
    this.time = end;
  }
}

/** Enough turns of the microtask queue for every chain of promises in the client. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

export class FakeSocket implements SocketLike {
  onopen: SocketLike['onopen'] = null;
  onmessage: SocketLike['onmessage'] = null;
  onclose: SocketLike['onclose'] = null;
  onerror: SocketLike['onerror'] = null;
  readonly sent: Record<string, unknown>[] = [];
  closedWith: number | undefined;
  readonly url: string;
  readonly protocols: string[];

  constructor(url: string, protocols: string[]) {
    this.url = url;
    this.protocols = protocols;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }

  close(code?: number): void {
    this.closedWith = code ?? 1005;
  }

  /** The server says. */
  say(message: unknown): void {
    this.onmessage?.({ data: typeof message === 'string' ? message : JSON.stringify(message) });
  }

  welcome(fields: object = {}): void {
    this.say({ type: 'connected', connectionId: 'c1', userId: '42', heartbeat: 25, protocol: 'tidings.v1', ...fields });
  }

  /** The connection ends. */
  end(code: number, reason = ''): void {
    this.onclose?.({ code, reason });
  }

  ofType(type: string): Record<string, unknown>[] {
    return this.sent.filter((message) => message['type'] === type);
  }

  /** Answers the latest subscribe of a channel. */
  attach(channel: string, fields: object = {}): void {
    const asked = this.ofType('subscribe').findLast((message) => message['channel'] === channel);
    if (asked === undefined) throw new Error(`Nobody subscribed to ${channel}.`);
    this.say({ type: 'subscribed', id: asked['id'], channel, ...fields });
  }
}

export class FakeEventSource implements EventSourceLike {
  onmessage: EventSourceLike['onmessage'] = null;
  onerror: EventSourceLike['onerror'] = null;
  isClosed = false;
  readonly url: URL;
  readonly init: { withCredentials: boolean };

  constructor(url: string, init: { withCredentials: boolean }) {
    this.url = new URL(url);
    this.init = init;
  }

  close(): void {
    this.isClosed = true;
  }

  say(message: unknown, lastEventId = ''): void {
    this.onmessage?.({ data: JSON.stringify(message), lastEventId });
  }

  welcome(token: string, positions: Record<string, string> = {}): void {
    this.say({ type: 'connected', connectionId: 's1', userId: '42', positions }, token);
  }

  fail(): void {
    this.onerror?.({} as never);
  }

  asks(parameter: string): string | null {
    return this.url.searchParams.get(parameter);
  }
}

export class FakeRequest {
  readonly url: URL;
  readonly init: RequestInit;
  readonly #resolve: (response: Response) => void;
  readonly #reject: (error: unknown) => void;

  constructor(url: string, init: RequestInit, resolve: (response: Response) => void, reject: (error: unknown) => void) {
    this.url = new URL(url);
    this.init = init;
    this.#resolve = resolve;
    this.#reject = reject;
    init.signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
  }

  async answer(body: object, status = 200, headers: Record<string, string> = {}): Promise<void> {
    this.#resolve(new Response(JSON.stringify(body), { status, headers }));
    // Reading a body takes turns of the event loop, not only of the microtask queue.
    await new Promise((resolve) => setImmediate(resolve));
    await settle();
  }

  async fail(): Promise<void> {
    this.#reject(new TypeError('network'));
    await settle();
  }

  asks(parameter: string): string | null {
    return this.url.searchParams.get(parameter);
  }
}

function last<T>(list: readonly T[]): T {
  const value = list.at(-1);
  if (value === undefined) throw new Error('There is none yet.');
  return value;
}
