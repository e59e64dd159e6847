import { Backoff } from '../connection/Backoff.ts';
import type { Environment, SocketLike } from '../browserEnvironment.ts';
import { TidingsError } from '../TidingsError.ts';
import { dispatchDownstream } from './dispatchDownstream.ts';
import { asMessage, parseMessage, textOf, type Message } from './parseMessage.ts';
import { SilenceWatch } from './SilenceWatch.ts';
import type { ChannelWish, Reply, Transport, TransportHost } from './Transport.ts';

const patience = 10_000;
const usualHeartbeat = 25;

/** Refusals that say "not now" rather than "not you". */
const passing = new Set(['rate_limited', 'internal']);

interface Pending {
  readonly answered: (reply: Reply) => void;
  readonly failed: (error: TidingsError) => void;
  readonly timer?: unknown;
}

/** The native protocol over one WebSocket. */
export class WebSocketTransport implements Transport {
  readonly name = 'websocket';
  readonly #url: string;
  readonly #environment: Environment;
  readonly #host: TransportHost;
  readonly #pending = new Map<number, Pending>();
  readonly #subscribed = new Set<string>();
  readonly #retries = new Map<string, { backoff: Backoff; timer?: unknown }>();
  readonly #silence: SilenceWatch;
  #socket: SocketLike | null = null;
  #isOpen = false;
  #isAsking = false;
  #heartbeat = usualHeartbeat;
  #lastId = 0;

  constructor(baseUrl: URL, environment: Environment, host: TransportHost) {
    const url = new URL('ws?batch=1', baseUrl);
    url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:';
    this.#url = url.href;
    this.#environment = environment;
    this.#host = host;
    this.#silence = new SilenceWatch(environment, () => this.#onSilence());
  }

  open(token: string | null): void {
    const protocols = token === null ? ['tidings.v1'] : ['tidings.v1', `bearer.${token}`];
    try {
      this.#socket = new (this.#environment.WebSocket as NonNullable<Environment['WebSocket']>)(this.#url, protocols);
    } catch (error) {
      // Refused by the browser before anything was sent, such as ws: from an https: page.
      this.#end(1006, error instanceof Error ? error.message : 'refused by the browser');
      return;
    }
    this.#silence.restart(patience);
    this.#socket.onmessage = ({ data }) => this.#heard(data);
    this.#socket.onclose = ({ code, reason }) => this.#end(code, reason);
    // A close event follows every error; without a listener, Node would treat the error as unhandled.
    this.#socket.onerror = () => {};
  }

  close(): void {
    this.#release(1000);
  }

  subscribe(wish: ChannelWish): boolean {
    if (!this.#isOpen) return false;
    this.#clearRetry(wish.channel);
    this.#subscribed.add(wish.channel);
    this.#command(
      { type: 'subscribe', ...wish },
      { answered: (reply) => this.#attached(wish, reply), failed: (error) => this.#notAttached(wish.channel, error) },
    );
    return true;
  }

  unsubscribe(channel: string): void {
    this.#clearRetry(channel);
    this.#retries.delete(channel);
    // No answer is needed, and an error ("not subscribed") would tell nothing.
    if (this.#subscribed.delete(channel) && this.#isOpen) this.#send({ type: 'unsubscribe', channel });
  }

  resubscribe(wish: ChannelWish): void {
    this.unsubscribe(wish.channel);
    this.subscribe(wish);
  }

  renew(token: string): void {
    // A refused token ends in close code 4401, which leads to a new attempt with a new token.
    this.request({ type: 'auth', token }).catch(() => {});
  }

  check(): void {
    if (this.#isOpen && !this.#isAsking) this.#onSilence();
  }

  request(command: { type: string; [field: string]: unknown }): Promise<Reply> {
    return new Promise((answered, failed) => this.#command(command, { answered, failed }));
  }

  /** Answers by callback: what follows an answer in the same frame must find it already dealt with, and a promise would come too late. */
  #command(command: { type: string; [field: string]: unknown }, pending: Pending): void {
    if (!this.#isOpen) {
      pending.failed(new TidingsError('not_connected', 'There is no connection to the server.'));
      return;
    }
    const id = ++this.#lastId;
    const timer = this.#environment.setTimeout(() => this.#settle(id)?.failed(new TidingsError('timeout', `No answer to ${command.type} in time.`)), patience);
    this.#pending.set(id, { ...pending, timer });
    this.#send({ ...command, id });
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    this.#environment.clearTimeout(pending?.timer);
    return pending;
  }

  #heard(data: unknown): void {
    this.#isAsking = false;
    this.#silence.restart(this.#isOpen ? (this.#heartbeat + 10) * 1_000 : patience);
    const message = parseMessage(data);
    if (message !== null) this.#take(message);
  }

  #take(message: Message): void {
    if (message.type === 'connected') this.#opened(message);
    else if (message.type === 'batch' && Array.isArray(message['events'])) message['events'].map(asMessage).forEach((entry) => entry !== null && this.#take(entry));
    // A number is an id that we gave: this is an answer, perhaps to a command that is not waited for any more. Events have ids of text.
    else if (typeof message['id'] === 'number') this.#answer(message['id'], message);
    else if (message.type !== 'error') dispatchDownstream(message, this.#host);
  }

  #answer(id: number, message: Message): void {
    const pending = this.#settle(id);
    if (message.type !== 'error') pending?.answered(message);
    else pending?.failed(new TidingsError(textOf(message, 'code') ?? 'internal', textOf(message, 'message') ?? 'The server refused.'));
  }

  #opened(message: Message): void {
    this.#isOpen = true;
    if (typeof message['heartbeat'] === 'number' && message['heartbeat'] > 0) this.#heartbeat = message['heartbeat'];
    this.#silence.restart((this.#heartbeat + 10) * 1_000);
    this.#host.opened({ connectionId: textOf(message, 'connectionId') ?? null, userId: textOf(message, 'userId') ?? null });
    for (const wish of this.#host.wishes()) this.subscribe(wish);
  }

  #attached(wish: ChannelWish, reply: Reply): void {
    this.#retries.delete(wish.channel);
    const position = textOf(reply, 'position');
    this.#host.attached(wish.channel, {
      ...(position !== undefined && { position }),
      ...(typeof reply['recovered'] === 'boolean' && { recovered: reply['recovered'] }),
      ...(wish.since !== undefined && { replayFrom: wish.since }),
    });
  }

  #notAttached(channel: string, error: TidingsError): void {
    if (error.code === 'connection_lost') return;
    // The server attached it by itself (`broadcast:all`): that is what was wanted.
    if (error.code === 'already_subscribed') this.#host.attached(channel, {});
    else if (passing.has(error.code) || error.code === 'timeout') this.#retryLater(channel);
    else {
      this.#subscribed.delete(channel);
      this.#host.refused(channel, { code: error.code, message: error.message });
    }
  }

  #retryLater(channel: string): void {
    const retry = this.#retries.get(channel) ?? { backoff: new Backoff(this.#environment.random) };
    this.#retries.set(channel, retry);
    retry.timer = this.#environment.setTimeout(() => {
      const wish = this.#host.wishes().find((wanted) => wanted.channel === channel);
      if (wish !== undefined) this.subscribe(wish);
    }, retry.backoff.next());
  }

  #clearRetry(channel: string): void {
    this.#environment.clearTimeout(this.#retries.get(channel)?.timer);
  }

  #onSilence(): void {
    if (!this.#isOpen || this.#isAsking) {
      this.#end(1006, this.#isOpen ? 'the server went silent' : 'no answer', true);
      return;
    }
    this.#isAsking = true;
    this.#silence.restart(patience);
    this.#send({ type: 'ping', id: ++this.#lastId });
  }

  #send(message: object): void {
    try {
      this.#socket?.send(JSON.stringify(message));
    } catch {
      // It is closing already; the close event tells.
    }
  }

  #end(code: number, reason: string, timedOut = false): void {
    this.#release(4000);
    this.#host.ended(code, reason, timedOut);
  }

  #release(code: number): void {
    this.#isOpen = false;
    this.#silence.stop();
    for (const channel of this.#retries.keys()) this.#clearRetry(channel);
    const socket = this.#socket;
    this.#socket = null;
    if (socket !== null) {
      socket.onmessage = socket.onclose = null;
      try {
        socket.close(code);
      } catch {
        // It never opened.
      }
    }
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.failed(new TidingsError('connection_lost', 'The connection was lost before the answer came.'));
  }
}
