import type { Environment } from '../browserEnvironment.ts';
import { dispatchDownstream } from './dispatchDownstream.ts';
import { asMessage, textOf, textsOf } from './parseMessage.ts';
import type { StreamPlace } from './StreamPlace.ts';
import type { ChannelWish, Transport, TransportHost } from './Transport.ts';

/** Seconds for which the server holds a request that has nothing to tell. */
const holdFor = 25;
const patience = 10_000;

/** An empty answer should take its time. One that does not (a shutdown, another poll of this session) must not start a tight loop. */
const shortestEmptyPoll = 1_000;

type Answer = Readonly<Record<string, unknown>>;

/** Long polling, for networks that let nothing else through. Our extensions to docs/protocol.md: `positions` (see StreamPlace), also in the answer, as a map. */
export class PollTransport implements Transport {
  readonly name = 'poll';
  readonly #baseUrl: URL;
  readonly #environment: Environment;
  readonly #host: TransportHost;
  readonly #place: StreamPlace;
  #token: string | null = null;
  #request: AbortController | null = null;
  #hasOpened = false;
  #isEnded = false;
  #pause: unknown;

  constructor(baseUrl: URL, environment: Environment, host: TransportHost, place: StreamPlace) {
    this.#baseUrl = baseUrl;
    this.#environment = environment;
    this.#host = host;
    this.#place = place;
  }

  open(token: string | null): void {
    this.#token = token;
    this.#place.restart();
    void this.#poll();
  }

  close(): void {
    this.#isEnded = true;
    this.#environment.clearTimeout(this.#pause);
    this.#request?.abort();
  }

  subscribe(): boolean {
    this.#pollAnew();
    return true;
  }

  unsubscribe(channel: string): void {
    this.#place.forget(channel);
    this.#pollAnew();
  }

  resubscribe(wish: ChannelWish): void {
    this.unsubscribe(wish.channel);
  }

  /** The next request uses it; the present one lives for seconds only. */
  renew(token: string): void {
    this.#token = token;
  }

  check(): void {
    // Every request has its own time limit.
  }

  /** What a request that is given up would have answered is answered again: its token was never confirmed. */
  #pollAnew(): void {
    if (this.#isEnded) return;
    this.#request?.abort();
    this.#pollAfter(20);
  }

  #pollAfter(milliseconds: number): void {
    this.#environment.clearTimeout(this.#pause);
    this.#pause = this.#environment.setTimeout(() => void this.#poll(), milliseconds);
  }

  async #poll(): Promise<void> {
    const request = new AbortController();
    this.#request = request;
    const query = this.#place.query(this.#host.wishes());
    // The first one finds out whether polling works at all, so it must not be held.
    const seconds = this.#hasOpened ? holdFor : 0;
    query.set('timeout', String(seconds));
    const startedAt = this.#environment.now();
    let timedOut = false;
    const limit = this.#environment.setTimeout(() => {
      timedOut = true;
      request.abort();
    }, seconds * 1_000 + patience);
    try {
      const response = await (this.#environment.fetch as NonNullable<Environment['fetch']>)(new URL(`poll?${query}`, this.#baseUrl).href, {
        signal: request.signal,
        cache: 'no-store',
        credentials: this.#token === null ? 'include' : 'same-origin',
        headers: this.#token === null ? {} : { Authorization: `Bearer ${this.#token}` },
      });
      const body: unknown = await response.json().catch(() => null);
      if (this.#isEnded || request !== this.#request || request.signal.aborted) return;
      const answer = (typeof body === 'object' && body !== null ? body : {}) as Answer;
      if (!response.ok) this.#refused(response, answer);
      else if (typeof answer['since'] !== 'string') this.#end(1006, 'not an answer to a poll');
      else this.#answered(answer, this.#environment.now() - startedAt);
    } catch (error) {
      if (!this.#isEnded && request === this.#request && (timedOut || !request.signal.aborted))
        this.#end(1006, timedOut ? 'no answer' : error instanceof Error ? error.message : 'the request failed', timedOut);
    } finally {
      this.#environment.clearTimeout(limit);
    }
  }

  #answered(answer: Answer, took: number): void {
    const isFirst = !this.#hasOpened;
    if (isFirst) {
      this.#hasOpened = true;
      this.#host.opened({ connectionId: null, userId: textOf(answer, 'userId') ?? null });
    }
    const positions = typeof answer['positions'] === 'object' && answer['positions'] !== null ? answer['positions'] : {};
    const events = Array.isArray(answer['events']) ? answer['events'].map(asMessage) : [];
    for (const [channel, info] of this.#place.attached(positions as Record<string, unknown>)) this.#host.attached(channel, info);
    const gaps = textsOf(answer, 'gaps');
    if (gaps.length > 0) this.#host.gap(gaps);
    else if (answer['recovered'] === false) this.#host.gap(this.#host.wishes().map((wish) => wish.channel));
    for (const event of events) if (event !== null && !this.#isEnded) dispatchDownstream(event, this.#host);
    if (this.#isEnded) return;
    this.#place.advance(answer['since'] as string);
    this.#pollAfter(isFirst || events.length > 0 ? 0 : Math.max(0, shortestEmptyPoll - took));
  }

  /** A refusal names the channels it is about, so that one forbidden channel does not cost the others. */
  #refused(response: Response, problem: Answer): void {
    const named = [...textsOf(problem, 'channels'), ...(typeof problem['channel'] === 'string' ? [problem['channel']] : [])];
    const code = textOf(problem, 'code') ?? 'refused';
    const areOurs = this.#host.wishes().some((wish) => named.includes(wish.channel));
    if ((response.status === 400 || response.status === 403 || response.status === 404) && areOurs) {
      for (const channel of named) this.#host.refused(channel, { code, message: textOf(problem, 'detail') ?? textOf(problem, 'title') ?? code });
      this.#pollAfter(this.#environment.random() * shortestEmptyPoll);
      return;
    }
    const closeCode = { 400: 4400, 401: 4401, 403: 4403, 429: 4429, 503: 4503 }[response.status] ?? 1006;
    const retryAfter = Number(response.headers.get('Retry-After') ?? NaN);
    this.#end(closeCode, Number.isFinite(retryAfter) ? `${code} retry=${Math.max(0, Math.round(retryAfter * 1_000))}` : code);
  }

  #end(code: number, reason: string, timedOut = false): void {
    this.close();
    this.#host.ended(code, reason, timedOut);
  }
}
