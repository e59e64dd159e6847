import { browserEnvironment, type Environment } from './browserEnvironment.ts';
import { Connection } from './connection/Connection.ts';
import type { ConnectionState, TransportName } from './connection/ConnectionState.ts';
import { TokenSource } from './connection/TokenSource.ts';
import { TransportChoice } from './connection/TransportChoice.ts';
import { EventListeners } from './EventListeners.ts';
import { Listeners } from './Listeners.ts';
import type { SubscribeOptions, Subscription } from './subscriptions/Subscription.ts';
import { Subscriptions } from './subscriptions/Subscriptions.ts';
import type { TidingsClientOptions } from './TidingsClientOptions.ts';
import { createTransport } from './transports/createTransport.ts';
import { asMessage } from './transports/parseMessage.ts';
import { StreamPlace } from './transports/StreamPlace.ts';
import type { Reply } from './transports/Transport.ts';
import type { EventHandler, EventOf, EventPayloads, PresenceMember, TidingsEvent } from './types.ts';

/** What `history` answers. */
export interface HistoryPage {
  readonly events: readonly TidingsEvent[];
  readonly position?: string;
  /** False when the history no longer reaches back to `since`. */
  readonly recovered?: boolean;
}

/**
 * A live link to a Tidings server. It reconnects, resumes where it was, and hands every event on once.
 *
 *     const client = new TidingsClient({ token: () => fetchToken() });
 *     client.subscribe('feed:42', (event) => store.apply(event), { since: page.positions['feed:42'], onGap: reload });
 *     client.connect();
 *
 * Channels are called by their canonical name, `kind:id`.
 */
export class TidingsClient {
  readonly #environment: Environment;
  readonly #connection: Connection;
  readonly #subscriptions: Subscriptions;
  readonly #events: EventListeners;
  readonly #states: Listeners<ConnectionState>;
  readonly #losses: Listeners<{ code: number; reason: string }>;
  readonly #injected: Listeners<TidingsEvent>;
  readonly #url: string | undefined;
  #baseUrl: URL | null = null;
  #isListening = false;

  constructor(options: TidingsClientOptions = {}) {
    this.#environment = { ...browserEnvironment(), ...options.environment };
    const { reportError, now } = this.#environment;
    this.#url = options.url;
    this.#events = new EventListeners(reportError);
    this.#states = new Listeners(reportError);
    this.#losses = new Listeners(reportError);
    this.#injected = new Listeners(reportError);
    const place = new StreamPlace();
    const order = (options.transports ?? ['websocket', 'sse', 'poll']).filter((name) => isOffered(name, this.#environment));
    this.#connection = new Connection(
      this.#environment,
      new TokenSource(options.token),
      new TransportChoice(order, now),
      (name, host) => createTransport(name, this.#baseUrl as URL, this.#environment, host, place),
      {
        wishes: () => this.#subscriptions.wishes(),
        attached: (channel, info) => this.#subscriptions.attached(channel, info),
        refused: (channel, reason) => this.#subscriptions.closed(channel, reason),
        gap: (channels) => this.#subscriptions.gap(channels),
        received: (event) => this.#received(event),
        stateChanged: (state) => this.#states.emit(state),
        connectionLost: (loss) => this.#losses.emit(loss),
        transportGone: () => this.#subscriptions.connectionEnded(),
      },
    );
    this.#subscriptions = new Subscriptions(this.#connection, reportError);
    // From the start, not from `connect()`: a host page may feed a client by hand that never connects.
    this.#listen();
  }

  /** Where the connection is; a new object whenever that changes, and only then. */
  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** Calls back at each change of `state`. */
  onState(listener: (state: ConnectionState) => void): () => void {
    return this.#states.add(listener);
  }

  /** Calls back when an established connection was lost; the client is reconnecting already if it may. */
  onConnectionLost(listener: (loss: { code: number; reason: string }) => void): () => void {
    return this.#losses.add(listener);
  }

  /** Starts connecting, at once even while it waits for a next attempt; from `closed`, starts anew. */
  connect(): void {
    // Not in the constructor: a page that is rendered on a server has no location there, and never connects.
    this.#baseUrl ??= baseUrlOf(this.#url);
    this.#listen();
    this.#connection.connect();
  }

  /** Closes for good and listens to the page no more. Subscriptions are kept for a later `connect()`. */
  close(): void {
    this.#unlisten();
    this.#connection.close(1000, 'closed by the application');
  }

  /**
   * Hands every event of a channel to `handler`, in order and once, across reconnects. Several handlers of one channel share one subscription on
   * the wire. May be called before `connect()`. SSE and polling carry the first 50 channels.
   */
  subscribe(channel: string, handler: EventHandler, options: SubscribeOptions = {}): Subscription {
    return this.#subscriptions.add(channel, handler, options);
  }

  /** Hands on every event of a type, whatever its channel, among them those of channels that the server attaches by itself. */
  on<T extends keyof EventPayloads>(type: T, handler: EventHandler<EventOf<T>>): () => void;
  on(type: string, handler: EventHandler): () => void;
  on(type: string, handler: (event: never) => void): () => void {
    return this.#events.add(type, handler as EventHandler);
  }

  /** Publishes to a channel whose settings allow it to clients (`typing`, say). WebSocket only; rejects with a `TidingsError`. */
  async publish(channel: string, event: string, data: unknown): Promise<void> {
    await this.#connection.request({ type: 'publish', channel, event, data });
  }

  /** Events of a channel after `since`. WebSocket only; rejects with a `TidingsError`. */
  async history(channel: string, options: { since?: string; limit?: number } = {}): Promise<HistoryPage> {
    const { events, position, recovered }: Reply = await this.#connection.request({ type: 'history', channel, ...options });
    return {
      events: Array.isArray(events) ? (events as TidingsEvent[]) : [],
      ...(typeof position === 'string' && { position }),
      ...(typeof recovered === 'boolean' && { recovered }),
    };
  }

  /** Who is in a channel. WebSocket only; rejects with a `TidingsError`. */
  async presence(channel: string): Promise<readonly PresenceMember[]> {
    const { members } = await this.#connection.request({ type: 'presence', channel });
    return Array.isArray(members) ? (members as PresenceMember[]) : [];
  }

  /**
   * Feeds an event by hand, as a `websocket-event` on `window` does. It reaches the handlers of its type, those of its channel if it
   * names one, and the `onInjected` listeners; it moves no position.
   */
  inject(event: Partial<TidingsEvent> & { readonly type: string }): void {
    this.#injected.emit(event);
    this.#subscriptions.pass(event);
    this.#events.emit(event);
  }

  /** Calls back with every event that was fed by hand. */
  onInjected(listener: EventHandler): () => void {
    return this.#injected.add(listener);
  }

  #received(event: TidingsEvent): void {
    this.#subscriptions.deliver(event);
    this.#events.emit(event);
  }

  #listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    const { window, document } = this.#environment;
    window?.addEventListener('websocket-event', this.#onHandFed);
    window?.addEventListener('online', this.#onAwake);
    window?.addEventListener('offline', this.#onOffline);
    document?.addEventListener('visibilitychange', this.#onAwake);
  }

  #unlisten(): void {
    this.#isListening = false;
    const { window, document } = this.#environment;
    window?.removeEventListener('websocket-event', this.#onHandFed);
    window?.removeEventListener('online', this.#onAwake);
    window?.removeEventListener('offline', this.#onOffline);
    document?.removeEventListener('visibilitychange', this.#onAwake);
  }

  readonly #onHandFed = (event: Event): void => {
    const detail = asMessage((event as CustomEvent<unknown>).detail);
    if (detail !== null) this.inject(detail);
  };

  readonly #onAwake = (event: Event): void => {
    if (event.type === 'online' || this.#environment.document?.visibilityState === 'visible') this.#connection.wake();
  };

  readonly #onOffline = (): void => this.#connection.networkLost();
}

function baseUrlOf(url: string | undefined): URL {
  const { location } = globalThis as { location?: Location };
  const server = url ?? location?.origin;
  if (server === undefined) throw new TypeError('TidingsClient needs a url where there is no page to take it from.');
  return new URL(server.endsWith('/') ? server : `${server}/`, location?.href);
}

function isOffered(name: TransportName, { WebSocket, EventSource, fetch }: Environment): boolean {
  return { websocket: WebSocket, sse: EventSource, poll: fetch }[name] !== undefined;
}
