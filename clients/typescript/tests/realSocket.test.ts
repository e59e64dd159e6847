import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { WebSocketConstructor } from '../src/browserEnvironment.ts';
import type { ConnectionState } from '../src/connection/ConnectionState.ts';
import { TidingsClient } from '../src/TidingsClient.ts';
import type { TidingsClientOptions } from '../src/TidingsClientOptions.ts';
import type { TidingsEvent } from '../src/types.ts';
import { seededRandom } from './support/seededRandom.ts';
import { TinyServer } from './support/TinyServer.ts';

const channel = 'feed:42';

describe('A client at a real socket', () => {
  let server: TinyServer;
  let client: TidingsClient;

  beforeEach(async () => {
    server = new TinyServer();
    server.goodTokens.add('good');
    await server.start();
  });
  afterEach(async () => {
    client.close();
    await server.stop();
  });

  /** Waits are cut to a thousandth, so that a test takes no longer than its sockets do. */
  function connect(options: TidingsClientOptions = {}): void {
    client = new TidingsClient({
      url: server.url,
      token: 'good',
      transports: ['websocket'],
      environment: { WebSocket: WebSocket as unknown as WebSocketConstructor, random: () => 0.001 },
      ...options,
    });
    client.connect();
  }

  function reaches(status: ConnectionState['status']): Promise<ConnectionState> {
    return new Promise((resolve) => {
      const look = (state: ConnectionState): void => {
        if (state.status !== status) return;
        stop();
        resolve(state);
      };
      const stop = client.onState(look);
      look(client.state);
    });
  }

  /** Everything of the channel, and a promise of the event with this number. */
  function collect(since?: string): { numbers: number[]; until(last: number): Promise<void>; gaps: number } {
    const waiting = new Map<number, () => void>();
    const collected = {
      numbers: [] as number[],
      gaps: 0,
      until: (last: number) => new Promise<void>((resolve) => (collected.numbers.includes(last) ? resolve() : waiting.set(last, resolve))),
    };
    const handle = (event: TidingsEvent): void => {
      collected.numbers.push(event['n'] as number);
      waiting.get(event['n'] as number)?.();
    };
    client.subscribe(channel, handle, { ...(since !== undefined && { since }), onGap: () => collected.gaps++ });
    return collected;
  }

  const publish = (from: number, to: number): void => {
    for (let n = from; n <= to; n++) server.publish(channel, { type: 'tick', n });
  };

  it('speaks tidings.v1, replays from the position of the page, and goes on live', async () => {
    publish(1, 5);
    connect();
    const collected = collect('p2');
    expect(await reaches('connected')).toMatchObject({ transport: 'websocket', connectionId: 'c1', userId: '42' });
    await collected.until(5);
    publish(6, 7);
    await collected.until(7);
    expect(collected.numbers).toEqual([3, 4, 5, 6, 7]);
    expect(server.handshakes).toEqual(['tidings.v1,bearer.good']);
  });

  it('loses nothing and repeats nothing, wherever the line is cut', async () => {
    const random = seededRandom(20_260_101);
    connect();
    const collected = collect('p0');
    await reaches('connected');
    let published = 0;
    for (let round = 0; round < 25; round++) {
      // Cut in the middle of what follows: between live events, within a replay, or right after the welcome.
      server.cutAfter = Math.floor(random() * 12);
      const count = 1 + Math.floor(random() * 8);
      publish(published + 1, published + count);
      published += count;
      await collected.until(published);
    }
    expect(collected.numbers).toEqual(Array.from({ length: published }, (_, n) => n + 1));
    expect(server.handshakes.length).toBeGreaterThan(10);
    expect(collected.gaps).toBe(0);
  });

  it('resumes after the server was away and came back', async () => {
    connect();
    const collected = collect('p0');
    publish(1, 2);
    await collected.until(2);
    await server.stop();
    publish(3, 4);
    await reaches('waiting');
    await server.start();
    await collected.until(4);
    expect(collected.numbers).toEqual([1, 2, 3, 4]);
  });

  it('is told when the history does not reach back, and goes on from there', async () => {
    publish(1, 50);
    server.historyLimit = 10;
    connect();
    const collected = collect('p2');
    await new Promise<void>((resolve) => client.subscribe('post:1', () => {}, { onSubscribed: () => resolve() }));
    publish(51, 51);
    await collected.until(51);
    expect(collected).toMatchObject({ numbers: [51], gaps: 1 });
  });

  it('replaces a refused token, and closes for good without another', async () => {
    const tokens = ['bad', 'good', 'worse', 'worse'];
    connect({ token: () => tokens.shift() ?? null });
    await reaches('connected');
    expect(server.handshakes).toEqual(['tidings.v1,bearer.bad', 'tidings.v1,bearer.good']);
    server.closeAll(4401, 'token_expired');
    expect(await reaches('closed')).toMatchObject({ code: 4401 });
    expect(server.handshakes.at(-1)).toBe('tidings.v1,bearer.worse');
  });

  it('comes back after a deploy, not sooner than the server asked for', async () => {
    connect();
    await reaches('connected');
    const closedAt = Date.now();
    server.closeAll(1001, 'retry=120');
    const waiting = (await reaches('waiting')) as Extract<ConnectionState, { status: 'waiting' }>;
    expect(waiting.reason).toBe('retry=120');
    await reaches('connected');
    // Timers of Node may run a millisecond early.
    expect(Date.now() - closedAt).toBeGreaterThanOrEqual(119);
  });

  it('hears the refusal of a command', async () => {
    connect();
    await reaches('connected');
    await expect(client.publish(channel, 'post_created', {})).rejects.toMatchObject({ code: 'forbidden' });
  });
});
