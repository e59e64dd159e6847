import type { Attached, ChannelWish } from './Transport.ts';

/** The server's limit for one stream. */
const maxChannels = 50;

/** Open to everybody, and attached to every WebSocket anyway: a stream needs at least one channel. */
const fallbackChannel = 'broadcast:all';

/**
 * Where SSE and long polling are: one compact token holds the place in all the channels of the request it came from. It outlives a
 * connection, and SSE and polling hand it to each other.
 *
 * Our extension to docs/protocol.md: the query parameter `positions` is a comma-separated list, aligned with `channels`, with a channel's own
 * position (from a REST page, or from a WebSocket before) or nothing. It comes before what `since` says of that channel. A channel
 * that neither of them places begins at the present. Positions contain no comma.
 */
export class StreamPlace {
  #token: string | null = null;
  #covered = new Set<string>();
  #announced = new Set<string>();
  #asked: readonly ChannelWish[] = [];

  /** The parameters of the next request; what is advanced from now on belongs to these wishes. */
  query(wishes: readonly ChannelWish[]): URLSearchParams {
    // Above the limit the first come; the rest waits for a place, or for a WebSocket.
    this.#asked = wishes.length === 0 ? [{ channel: fallbackChannel }] : wishes.slice(0, maxChannels);
    const query = new URLSearchParams({ channels: this.#asked.map((wish) => wish.channel).join(',') });
    if (this.#token !== null) query.set('since', this.#token);
    const positions = this.#asked.map((wish) => (this.#isCovered(wish.channel) ? '' : (wish.since ?? '')));
    if (positions.some((position) => position !== '')) query.set('positions', positions.join(','));
    return query;
  }

  /** The channels that the answer to this request attaches and that have not been told of yet. */
  attached(positions: Readonly<Record<string, unknown>>): [string, Attached][] {
    const fresh = this.#asked.filter((wish) => !this.#announced.has(wish.channel));
    this.#announced = new Set(this.#asked.map((wish) => wish.channel));
    return fresh.map(({ channel, since }) => {
      const position = positions[channel];
      const resumes = this.#isCovered(channel) || since !== undefined;
      return [
        channel,
        {
          ...(typeof position === 'string' && { position }),
          // Whether the history still reaches back is told by a gap afterwards.
          ...(resumes && { recovered: true }),
          ...(resumes && since !== undefined && { replayFrom: since }),
        },
      ];
    });
  }

  advance(token: string): void {
    if (token === '') return;
    this.#token = token;
    this.#covered = new Set(this.#asked.map((wish) => wish.channel));
  }

  /** The token's place in this channel no longer counts: it was left, or shall be entered from elsewhere. */
  forget(channel: string): void {
    this.#covered.delete(channel);
    this.#announced.delete(channel);
    // What the present stream still brings must not cover it again.
    this.#asked = this.#asked.filter((wish) => wish.channel !== channel);
  }

  /** A new connection tells again which channels are attached. */
  restart(): void {
    this.#announced.clear();
  }

  /** Another transport went on without the token. */
  reset(): void {
    this.#token = null;
    this.#covered.clear();
    this.#announced.clear();
  }

  #isCovered(channel: string): boolean {
    return this.#token !== null && this.#covered.has(channel);
  }
}
