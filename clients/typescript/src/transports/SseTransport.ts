import type { Environment, EventSourceLike } from '../browserEnvironment.ts';
import { dispatchDownstream } from './dispatchDownstream.ts';
import { parseMessage, textOf, type Message } from './parseMessage.ts';
import { SilenceWatch } from './SilenceWatch.ts';
import type { StreamPlace } from './StreamPlace.ts';
import type { ChannelWish, Transport, TransportHost } from './Transport.ts';

const patience = 10_000;

/** Several subscriptions made together cost one new stream. */
const gatherFor = 20;

/** A stream on which nothing came for this long is opened anew when the page wakes up: its comments can't be seen from here. */
const suspiciousAfter = 60_000;

/**
 * Server-sent events. The address of an EventSource is fixed, so a change of channels or of the token opens a new one at the same place.
 *
 * Our extensions to docs/protocol.md: with `events=message` the server leaves out the `event:` lines, since an EventSource needs a listener for
 * every name (the type is in the JSON), and control events come as messages too. The first message of a stream is
 * `{"type":"connected","connectionId","userId","positions":{channel: position}}` with an `id:`; a proxy that buffers is found out by its absence.
 * The server may send `{"type":"ping","interval":15}` in place of comments; from the first one on, their absence counts as a dead link.
 */
export class SseTransport implements Transport {
  readonly name = 'sse';
  readonly #baseUrl: URL;
  readonly #environment: Environment;
  readonly #host: TransportHost;
  readonly #place: StreamPlace;
  readonly #silence: SilenceWatch;
  #source: EventSourceLike | null = null;
  #token: string | null = null;
  #reopening: unknown;
  #hasSpoken = false;
  #isEnded = false;
  #heardAt = 0;
  #pingInterval = 0;

  constructor(baseUrl: URL, environment: Environment, host: TransportHost, place: StreamPlace) {
    this.#baseUrl = baseUrl;
    this.#environment = environment;
    this.#host = host;
    this.#place = place;
    this.#silence = new SilenceWatch(environment, () => this.#end(1006, this.#hasSpoken ? 'the server went silent' : 'no answer', true));
  }

  open(token: string | null): void {
    this.#token = token;
    this.#place.restart();
    this.#connect();
  }

  close(): void {
    this.#isEnded = true;
    this.#environment.clearTimeout(this.#reopening);
    this.#silence.stop();
    this.#source?.close();
    this.#source = null;
  }

  subscribe(): boolean {
    this.#reopenSoon();
    return true;
  }

  unsubscribe(channel: string): void {
    this.#place.forget(channel);
    this.#reopenSoon();
  }

  resubscribe(wish: ChannelWish): void {
    this.unsubscribe(wish.channel);
  }

  renew(token: string): void {
    this.#token = token;
    this.#reopenSoon();
  }

  check(): void {
    if (this.#environment.now() - this.#heardAt > suspiciousAfter) this.#reopenSoon();
  }

  #reopenSoon(): void {
    if (this.#isEnded) return;
    this.#environment.clearTimeout(this.#reopening);
    this.#reopening = this.#environment.setTimeout(() => this.#connect(), gatherFor);
  }

  #connect(): void {
    // First closed, then opened: over HTTP/1.1 a browser has six connections for all tabs together.
    this.#source?.close();
    this.#hasSpoken = false;
    this.#pingInterval = 0;
    const query = this.#place.query(this.#host.wishes());
    query.set('events', 'message');
    if (this.#token !== null) query.set('token', this.#token);
    const url = new URL(`sse?${query}`, this.#baseUrl).href;
    const source = new (this.#environment.EventSource as NonNullable<Environment['EventSource']>)(url, { withCredentials: this.#token === null });
    source.onmessage = ({ data, lastEventId }) => {
      if (this.#source === source) this.#heard(data, lastEventId);
    };
    // Its own reconnecting has no backoff and stops for good at the first status other than 200, so every error ends this attempt.
    source.onerror = () => {
      if (this.#source === source) this.#end(1006, this.#hasSpoken ? 'the stream broke' : 'no stream');
    };
    this.#source = source;
    this.#silence.restart(patience);
  }

  #heard(data: unknown, lastEventId: string): void {
    const message = parseMessage(data);
    if (message === null) return;
    this.#heardAt = this.#environment.now();
    if (message.type === 'closing') {
      this.#end(typeof message['code'] === 'number' ? message['code'] : 1001, textOf(message, 'reason') ?? '');
      return;
    }
    if (!this.#hasSpoken) this.#opened(message);
    if (message.type === 'ping') this.#pingInterval = typeof message['interval'] === 'number' ? message['interval'] : 15;
    if (this.#pingInterval > 0) this.#silence.restart((2 * this.#pingInterval + 10) * 1_000);
    else this.#silence.stop();
    dispatchDownstream(message, this.#host);
    // Only now: what was not handed on must not count as seen.
    if (!this.#isEnded) this.#place.advance(lastEventId);
  }

  #opened(message: Message): void {
    this.#hasSpoken = true;
    this.#host.opened({ connectionId: textOf(message, 'connectionId') ?? null, userId: textOf(message, 'userId') ?? null });
    const positions = typeof message['positions'] === 'object' && message['positions'] !== null ? message['positions'] : {};
    for (const [channel, info] of this.#place.attached(positions as Record<string, unknown>)) this.#host.attached(channel, info);
  }

  #end(code: number, reason: string, timedOut = false): void {
    this.close();
    this.#host.ended(code, reason, timedOut);
  }
}
