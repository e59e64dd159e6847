import type { Environment } from '../browserEnvironment.ts';
import type { ChannelWish, Reply, Transport, TransportHost } from '../transports/Transport.ts';
import { TidingsError } from '../TidingsError.ts';
import type { Wire } from '../subscriptions/Subscriptions.ts';
import { Backoff } from './Backoff.ts';
import { closeVerdict } from './closeVerdict.ts';
import type { ConnectionState, TransportName } from './ConnectionState.ts';
import type { TokenSource } from './TokenSource.ts';
import type { TransportChoice } from './TransportChoice.ts';

/** A connection that was up for this long was a good one: the next failure starts from the shortest wait again. */
const goodAfter = 10_000;

/** `navigator.onLine` is wrong now and then (a server on this very machine), so even "offline" is looked at again. */
const offlineRecheck = 30_000;

/** What a connection tells its client. */
export interface ConnectionEvents extends Pick<TransportHost, 'wishes' | 'received' | 'attached' | 'refused' | 'gap'> {
  stateChanged(state: ConnectionState): void;
  /** A connection that was established has ended without anybody here asking for it. */
  connectionLost(loss: { code: number; reason: string }): void;
  /** Whatever was attached no longer is. */
  transportGone(): void;
}

/** The state machine: one transport at a time, attempt after attempt, until closed for good. */
export class Connection implements Wire {
  readonly #environment: Environment;
  readonly #tokens: TokenSource;
  readonly #choice: TransportChoice;
  readonly #create: (name: TransportName, host: TransportHost) => Transport;
  readonly #events: ConnectionEvents;
  readonly #backoff: Backoff;
  #state: ConnectionState = { status: 'idle' };
  #transport: Transport | null = null;
  #timer: unknown;
  #openedAt = 0;
  #waitIsOrdered = false;
  /** Tells a late answer of the token function from one of the present attempt. */
  #turn = 0;

  constructor(
    environment: Environment,
    tokens: TokenSource,
    choice: TransportChoice,
    create: (name: TransportName, host: TransportHost) => Transport,
    events: ConnectionEvents,
  ) {
    this.#environment = environment;
    this.#tokens = tokens;
    this.#choice = choice;
    this.#create = create;
    this.#events = events;
    this.#backoff = new Backoff(environment.random);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  connect(): void {
    const { status } = this.#state;
    if (status === 'connecting' || status === 'connected') return;
    if (status === 'closed') {
      this.#backoff.reset();
      this.#tokens.accept();
    }
    void this.#attempt();
  }

  /** A sign that the network is back or that somebody looks: wait no longer, and trust a standing connection no more. */
  wake(): void {
    const { status } = this.#state;
    // A wait that the server named is kept: it protects the server.
    if ((status === 'waiting' && !this.#waitIsOrdered) || status === 'offline') void this.#attempt();
    if (status === 'connected') this.#transport?.check();
  }

  /** The network is said to be gone. */
  networkLost(): void {
    if (this.#state.status === 'waiting') this.#goOffline();
    if (this.#state.status === 'connected') this.#transport?.check();
  }

  close(code: number, reason: string): void {
    this.#drop();
    this.#set({ status: 'closed', code, reason });
  }

  subscribe(wish: ChannelWish): boolean {
    return this.#transport?.subscribe(wish) ?? false;
  }

  unsubscribe(channel: string): void {
    this.#transport?.unsubscribe(channel);
  }

  resubscribe(wish: ChannelWish): void {
    this.#transport?.resubscribe(wish);
  }

  request(command: { type: string; [field: string]: unknown }): Promise<Reply> {
    if (this.#transport === null || this.#state.status !== 'connected')
      return Promise.reject(new TidingsError('not_connected', 'There is no connection to the server.'));
    return (
      this.#transport.request?.(command) ??
      Promise.reject(new TidingsError('unsupported_transport', `"${command.type}" needs a WebSocket; the connection is by ${this.#transport.name}.`))
    );
  }

  async #attempt(): Promise<void> {
    this.#drop();
    const turn = this.#turn;
    const name = this.#choice.next();
    if (name === undefined) {
      this.close(1000, 'This environment offers none of the transports.');
      return;
    }
    this.#set({ status: 'connecting', attempt: this.#backoff.failures + 1, transport: name });
    let token;
    try {
      token = await this.#tokens.next();
    } catch {
      if (turn === this.#turn) this.#wait('the token could not be fetched');
      return;
    }
    if (turn !== this.#turn) return;
    if (token === undefined) {
      this.close(4401, 'the token was refused, and there is no other');
      return;
    }
    const transport = this.#create(name, this.#host(turn));
    this.#transport = transport;
    transport.open(token);
  }

  #host(turn: number): TransportHost {
    const present =
      <A extends unknown[]>(call: (...values: A) => void) =>
      (...values: A) => {
        if (turn === this.#turn) call(...values);
      };
    return {
      wishes: () => this.#events.wishes(),
      opened: present((connection) => this.#opened(connection)),
      ended: present((code, reason, timedOut) => this.#ended(code, reason, timedOut === true)),
      received: present((event) => this.#events.received(event)),
      attached: present((channel, info) => this.#events.attached(channel, info)),
      refused: present((channel, reason) => this.#events.refused(channel, reason)),
      gap: present((channels) => this.#events.gap(channels)),
      tokenExpiring: present(() => void this.#renew(turn)),
    };
  }

  #opened(connection: { connectionId: string | null; userId: string | null }): void {
    const transport = (this.#transport as Transport).name;
    if (this.#state.status === 'connecting') {
      this.#openedAt = this.#environment.now();
      this.#choice.worked();
      this.#tokens.accept();
      const stay = this.#choice.stay();
      if (stay !== null) this.#timer = this.#environment.setTimeout(() => void this.#attempt(), stay);
    }
    this.#set({ status: 'connected', transport, ...connection });
  }

  #ended(code: number, reason: string, timedOut: boolean): void {
    const wasConnected = this.#state.status === 'connected';
    const verdict = closeVerdict(code, reason);
    if (wasConnected && this.#environment.now() - this.#openedAt >= goodAfter) this.#backoff.reset();
    if (!wasConnected && !verdict.byServer && this.#environment.isOnline()) this.#choice.failed(timedOut);
    this.#drop();
    if (verdict.mayReconnect === 'with-new-token') this.#tokens.refuse();
    const isFinal = verdict.mayReconnect === 'no' || (verdict.mayReconnect === 'with-new-token' && !this.#tokens.canRenew);
    if (isFinal) this.#set({ status: 'closed', code, reason });
    else if (!this.#environment.isOnline()) this.#goOffline();
    else this.#wait(reason === '' ? `closed with ${code}` : reason, verdict.retryAfter);
    if (wasConnected) this.#events.connectionLost({ code, reason });
  }

  #wait(reason: string, retryAfter?: number): void {
    const delay = this.#backoff.next(retryAfter);
    this.#waitIsOrdered = retryAfter !== undefined;
    this.#timer = this.#environment.setTimeout(() => void this.#attempt(), delay);
    this.#set({ status: 'waiting', attempt: this.#backoff.failures, retryAt: this.#environment.now() + delay, reason });
  }

  #goOffline(): void {
    this.#environment.clearTimeout(this.#timer);
    this.#timer = this.#environment.setTimeout(() => void this.#attempt(), offlineRecheck);
    this.#set({ status: 'offline' });
  }

  async #renew(turn: number): Promise<void> {
    if (!this.#tokens.canRenew) return;
    try {
      const token = await this.#tokens.next();
      if (turn === this.#turn && typeof token === 'string') this.#transport?.renew(token);
    } catch {
      // The server closes with 4401 when the token is over, and the next attempt asks again.
    }
  }

  /** Ends whatever is going on; nothing of it is heard any more. */
  #drop(): void {
    this.#turn++;
    this.#environment.clearTimeout(this.#timer);
    const transport = this.#transport;
    this.#transport = null;
    if (transport === null) return;
    transport.close();
    this.#events.transportGone();
  }

  #set(state: ConnectionState): void {
    const before = this.#state;
    if (JSON.stringify(before) === JSON.stringify(state)) return;
    this.#state = state;
    this.#events.stateChanged(state);
  }
}
