import { describe, expect, it, vi } from 'vitest';
import type { TidingsClient } from '../../src/TidingsClient.ts';
import type { TidingsClientOptions } from '../../src/TidingsClientOptions.ts';
import { clientIn, nextAttempt } from '../support/connectedClient.ts';
import { FakeWorld, settle } from '../support/FakeWorld.ts';

const reopening = 20;

async function streaming(options: TidingsClientOptions, subscribe: (client: TidingsClient) => void): Promise<{ world: FakeWorld; client: TidingsClient }> {
  const world = new FakeWorld();
  const client = clientIn(world, { transports: ['sse'], ...options });
  subscribe(client);
  client.connect();
  await world.advance(0);
  return { world, client };
}

describe('SseTransport', () => {
  it('asks for all channels in one stream, with the positions that the page had', async () => {
    const { world } = await streaming({ token: 'jwt' }, (client) => {
      client.subscribe('feed:42', () => {}, { since: 'p1' });
      client.subscribe('post:7', () => {});
    });
    expect(world.source.url.pathname).toBe('/sse');
    expect(Object.fromEntries(world.source.url.searchParams)).toEqual({ channels: 'feed:42,post:7', positions: 'p1,', events: 'message', token: 'jwt' });
    expect(world.source.init.withCredentials).toBe(false);
  });

  it('relies on the cookie when there is no token, and on the public channel when there is none', async () => {
    const { world } = await streaming({}, () => {});
    expect(Object.fromEntries(world.source.url.searchParams)).toEqual({ channels: 'broadcast:all', events: 'message' });
    expect(world.source.init.withCredentials).toBe(true);
  });

  it('is connected at the first message, and tells which channels are attached', async () => {
    const onSubscribed = vi.fn();
    const { world, client } = await streaming({}, (each) => each.subscribe('post:7', () => {}, { onSubscribed }));
    expect(client.state.status).toBe('connecting');
    world.source.welcome('t1', { 'post:7': 'p5' });
    expect(client.state).toEqual({ status: 'connected', transport: 'sse', connectionId: 's1', userId: '42' });
    expect(onSubscribed).toHaveBeenCalledExactlyOnceWith({ position: 'p5' });
  });

  it('keeps the answers for each channel to itself: they are not events', async () => {
    const handler = vi.fn();
    const { world } = await streaming({}, (each) => each.subscribe('feed:42', handler));
    world.source.welcome('t1');
    world.source.say({ type: 'subscribed', channel: 'feed:42', position: 'p1' }, 't2');
    world.source.say({ type: 'post_created', channel: 'feed:42', id: 'e1', position: 'p2' }, 't3');
    expect(handler).toHaveBeenCalledOnce();
  });

  it('opens a new stream at the same place when the channels change: once for all of them, the old one closed first', async () => {
    const { world, client } = await streaming({}, (each) => each.subscribe('feed:42', () => {}));
    world.source.welcome('t1');
    world.source.say({ type: 'post_created', channel: 'feed:42', id: 'e1', position: 'p1' }, 't2');
    client.subscribe('post:1', () => {});
    client.subscribe('post:2', () => {}, { since: 'q7' });
    await world.advance(reopening);
    expect(world.sources).toHaveLength(2);
    expect(world.sources[0]?.isClosed).toBe(true);
    // feed:42 is placed by the token, post:2 by its own position, post:1 begins now
    expect(Object.fromEntries(world.source.url.searchParams)).toEqual({ channels: 'feed:42,post:1,post:2', since: 't2', positions: ',,q7', events: 'message' });
    expect(client.state.status).toBe('connected');
  });

  it('counts nothing as seen that it did not hand on', async () => {
    const { world, client } = await streaming({}, (each) => each.subscribe('feed:42', () => each.close()));
    world.source.welcome('t1');
    const first = world.source;
    first.say({ type: 'post_created', channel: 'feed:42', id: 'e1' }, 't2');
    first.say({ type: 'post_created', channel: 'feed:42', id: 'e2' }, 't3');
    expect(first.isClosed).toBe(true);
    client.connect();
    await world.advance(0);
    expect(world.source.asks('since')).toBe('t1');
  });

  it('tells of subscriptions that a new stream adds, and only of them', async () => {
    const old = vi.fn();
    const fresh = vi.fn();
    const { world, client } = await streaming({}, (each) => each.subscribe('feed:42', () => {}, { onSubscribed: old }));
    world.source.welcome('t1');
    client.subscribe('post:1', () => {}, { onSubscribed: fresh, since: 'q1' });
    await world.advance(reopening);
    world.source.welcome('t2');
    expect(old).toHaveBeenCalledOnce();
    expect(fresh).toHaveBeenCalledExactlyOnceWith({ position: 'q1', recovered: true });
  });

  it('takes over from EventSource when the stream breaks: with backoff, at the place of the last id', async () => {
    const onGap = vi.fn();
    const onSubscribed = vi.fn();
    const { world, client } = await streaming({}, (each) => each.subscribe('feed:42', () => {}, { onGap, onSubscribed }));
    world.source.welcome('t1');
    world.source.fail();
    expect(world.source.isClosed).toBe(true);
    expect(client.state).toMatchObject({ status: 'waiting', reason: 'the stream broke' });
    await nextAttempt(world, client);
    expect(world.source.asks('since')).toBe('t1');
    world.source.welcome('t2');
    expect(onSubscribed).toHaveBeenLastCalledWith({ recovered: true });
    expect(onGap).not.toHaveBeenCalled();
  });

  it('tells of a gap, of a revoked channel and of the end, which are messages here', async () => {
    const onGap = vi.fn();
    const onClosed = vi.fn();
    const { world, client } = await streaming({}, (each) => {
      each.subscribe('feed:42', () => {}, { onGap });
      each.subscribe('post:7', () => {}, { onClosed });
    });
    world.source.welcome('t1');
    world.source.say({ type: 'gap', channels: ['feed:42'] }, 't2');
    expect(onGap).toHaveBeenCalledOnce();
    world.source.say({ type: 'unsubscribed', channel: 'post:7', reason: 'access_revoked' }, 't3');
    expect(onClosed).toHaveBeenCalledOnce();
    world.source.say({ type: 'closing', code: 4503, reason: 'retry=4000', retry: null });
    expect(client.state).toEqual({ status: 'waiting', attempt: 1, retryAt: world.time + 5_000, reason: 'retry=4000' });
  });

  it('enters a channel from a later handler’s place, whatever the old stream still brings', async () => {
    const first = vi.fn();
    const second = vi.fn();
    const { world, client } = await streaming({}, (each) => each.subscribe('feed:42', first));
    world.source.welcome('t1');
    world.source.say({ type: 'a', channel: 'feed:42', id: 'e2', position: 'p2' }, 't2');
    client.subscribe('feed:42', second, { since: 'p1' });
    world.source.say({ type: 'a', channel: 'feed:42', id: 'e3', position: 'p3' }, 't3');
    await world.advance(reopening);
    expect(world.source.asks('since')).toBe('t3');
    expect(world.source.asks('positions')).toBe('p1');
    world.source.welcome('t4');
    for (const n of [2, 3]) world.source.say({ type: 'a', channel: 'feed:42', id: `e${n}`, position: `p${n}` }, `t${n}b`);
    expect(first.mock.calls.map(([event]) => event.id)).toEqual(['e2', 'e3']);
    expect(second.mock.calls.map(([event]) => event.id).toSorted()).toEqual(['e2', 'e3']);
  });

  it('renews the token with a new stream', async () => {
    let count = 0;
    const { world } = await streaming({ token: () => `jwt${++count}` }, (each) => each.subscribe('feed:42', () => {}));
    world.source.welcome('t1');
    world.source.say({ type: 'token_expiring', expiresAt: '' }, 't2');
    await settle();
    await world.advance(reopening);
    expect([world.source.asks('token'), world.source.asks('since')]).toEqual(['jwt2', 't2']);
  });

  it('watches for silence only once the server has shown that it pings', async () => {
    const { world, client } = await streaming({}, (each) => each.subscribe('feed:42', () => {}));
    world.source.welcome('t1');
    await world.advance(3_600_000);
    expect(client.state.status).toBe('connected');
    world.source.say({ type: 'ping', interval: 15 });
    await world.advance(39_999);
    expect(client.state.status).toBe('connected');
    await world.advance(1);
    expect(client.state).toMatchObject({ status: 'waiting', reason: 'the server went silent' });
  });

  it('opens a long silent stream anew when the page wakes up', async () => {
    const { world } = await streaming({}, (each) => each.subscribe('feed:42', () => {}));
    world.source.welcome('t1');
    world.document.dispatchEvent(new Event('visibilitychange'));
    await world.advance(60_001);
    expect(world.sources).toHaveLength(1);
    world.document.dispatchEvent(new Event('visibilitychange'));
    await world.advance(reopening);
    expect(world.sources).toHaveLength(2);
  });

  it('carries the first 50 channels; the next has its turn when one is left', async () => {
    const { world, client } = await streaming({}, () => {});
    world.source.welcome('t0');
    const subscriptions = Array.from({ length: 51 }, (_, n) => client.subscribe(`post:${n}`, () => {}));
    await world.advance(reopening);
    expect(world.source.asks('channels')?.split(',')).toHaveLength(50);
    expect(world.source.asks('channels')).not.toContain('post:50');
    subscriptions[0]?.unsubscribe();
    await world.advance(reopening);
    expect(world.source.asks('channels')?.split(',').at(-1)).toBe('post:50');
  });

  it('forgets its place when a WebSocket went on from there', async () => {
    const { world, client } = await streaming({ transports: ['websocket', 'sse'] }, (each) => each.subscribe('feed:42', () => {}));
    const loseSocket = async (): Promise<void> => {
      world.socket.end(1006);
      await nextAttempt(world, client);
    };
    await loseSocket();
    await loseSocket();
    world.source.welcome('t1', { 'feed:42': 'p1' });
    await world.advance(5 * 60_000);
    world.source.fail();
    await nextAttempt(world, client);
    world.socket.welcome();
    world.socket.attach('feed:42', { position: 'p5', recovered: true });
    world.socket.say({ type: 'a', channel: 'feed:42', id: 'e5', position: 'p5' });
    for (let i = 0; i < 3; i++) await loseSocket();
    expect([world.source.asks('since'), world.source.asks('positions')]).toEqual([null, 'p5']);
  });

  it('has no way up', async () => {
    const { world, client } = await streaming({}, () => {});
    world.source.welcome('t1');
    await expect(client.publish('post:1', 'typing', {})).rejects.toMatchObject({ code: 'unsupported_transport', message: expect.stringContaining('WebSocket') });
  });
});
