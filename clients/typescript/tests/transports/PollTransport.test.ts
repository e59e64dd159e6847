import { describe, expect, it, vi } from 'vitest';
import type { TidingsClient } from '../../src/TidingsClient.ts';
import type { TidingsClientOptions } from '../../src/TidingsClientOptions.ts';
import { clientIn, nextAttempt } from '../support/connectedClient.ts';
import { FakeWorld, settle } from '../support/FakeWorld.ts';

async function polling(options: TidingsClientOptions, subscribe: (client: TidingsClient) => void): Promise<{ world: FakeWorld; client: TidingsClient }> {
  const world = new FakeWorld();
  const client = clientIn(world, { transports: ['poll'], ...options });
  subscribe(client);
  client.connect();
  await world.advance(0);
  return { world, client };
}

describe('PollTransport', () => {
  it('asks first without being held, then holds, each time from the place of the last answer', async () => {
    const handler = vi.fn();
    const { world, client } = await polling({ token: 'jwt' }, (each) => each.subscribe('feed:42', handler, { since: 'p1' }));
    expect(world.request.url.pathname).toBe('/poll');
    expect(Object.fromEntries(world.request.url.searchParams)).toEqual({ channels: 'feed:42', positions: 'p1', timeout: '0' });
    expect(world.request.init).toMatchObject({ headers: { Authorization: 'Bearer jwt' }, credentials: 'same-origin', cache: 'no-store' });
    await world.request.answer({ events: [{ type: 'a', channel: 'feed:42', id: 'e1', position: 'p2' }], since: 't1' });
    expect(client.state).toMatchObject({ status: 'connected', transport: 'poll' });
    await world.advance(0);
    expect(Object.fromEntries(world.request.url.searchParams)).toEqual({ channels: 'feed:42', since: 't1', timeout: '25' });
    expect(handler).toHaveBeenCalledOnce();
  });

  it('sends the cookie when there is no token', async () => {
    const { world } = await polling({}, () => {});
    expect(world.request.init).toMatchObject({ headers: {}, credentials: 'include' });
    expect(world.request.asks('channels')).toBe('broadcast:all');
  });

  it('does not turn in a tight loop when empty answers come at once', async () => {
    const { world } = await polling({}, () => {});
    await world.request.answer({ events: [], since: 't1' });
    await world.advance(0);
    await world.request.answer({ events: [], since: 't1' });
    await world.advance(999);
    expect(world.requests).toHaveLength(2);
    await world.advance(1);
    expect(world.requests).toHaveLength(3);
  });

  it('tells of gaps, in both of their forms', async () => {
    const onGap = vi.fn();
    const { world } = await polling({}, (each) => {
      each.subscribe('feed:42', () => {}, { onGap: () => onGap('feed') });
      each.subscribe('post:7', () => {}, { onGap: () => onGap('post') });
    });
    await world.request.answer({ events: [], since: 't1', gaps: ['post:7'] });
    expect(onGap.mock.calls).toEqual([['post']]);
    await world.advance(0);
    await world.request.answer({ events: [], since: 't2', recovered: false });
    expect(onGap.mock.calls).toEqual([['post'], ['feed'], ['post']]);
  });

  it('asks anew when the channels change, and hears the given up request no more', async () => {
    const handler = vi.fn();
    const { world, client } = await polling({}, (each) => each.subscribe('feed:42', handler));
    await world.request.answer({ events: [], since: 't1' });
    await world.advance(0);
    const held = world.request;
    // Its answer is here, but not read yet.
    const answering = held.answer({ events: [{ type: 'a', channel: 'feed:42', id: 'e1' }], since: 't2' });
    client.subscribe('post:1', () => {}, { since: 'q1' });
    expect(held.init.signal?.aborted).toBe(true);
    await answering;
    expect(handler).not.toHaveBeenCalled();
    await world.advance(20);
    expect(Object.fromEntries(world.request.url.searchParams)).toEqual({ channels: 'feed:42,post:1', since: 't1', positions: ',q1', timeout: '25' });
    expect(client.state.status).toBe('connected');
  });

  it('closes the channels that a refusal names, and goes on with the others', async () => {
    const onClosed = vi.fn();
    const { world, client } = await polling({}, (each) => {
      each.subscribe('feed:42', () => {});
      each.subscribe('feed:1', () => {}, { onClosed });
    });
    await world.request.answer({ code: 'forbidden', detail: 'Not yours.', channels: ['feed:1'] }, 403);
    expect(onClosed).toHaveBeenCalledExactlyOnceWith({ code: 'forbidden', message: 'Not yours.' });
    await world.advance(500);
    expect(world.request.asks('channels')).toBe('feed:42');
    await world.request.answer({ events: [], since: 't1' });
    expect(client.state.status).toBe('connected');
  });

  it.each([
    [403, {}, {}, { status: 'closed', code: 4403 }],
    [400, { code: 'bad_request' }, {}, { status: 'closed', code: 4400, reason: 'bad_request' }],
    [401, {}, {}, { status: 'closed', code: 4401 }],
    [429, { code: 'rate_limited' }, { 'Retry-After': '4' }, { status: 'waiting', retryAt: 1_005_000 }],
    [503, {}, {}, { status: 'waiting', retryAt: 1_000_250 }],
    [500, {}, {}, { status: 'waiting' }],
    [200, { hello: 'proxy' }, {}, { status: 'waiting', reason: 'not an answer to a poll' }],
  ])('a status of %d with %j leads to %j → %j', async (status, body, headers, expected) => {
    const { world, client } = await polling({}, (each) => each.subscribe('feed:42', () => {}));
    await world.request.answer(body, status, headers as Record<string, string>);
    expect(client.state).toMatchObject(expected);
  });

  it('gives a request up 10 s after it should have been answered', async () => {
    const { world, client } = await polling({}, () => {});
    await world.request.answer({ events: [], since: 't1' });
    await world.advance(34_999);
    expect(client.state.status).toBe('connected');
    await world.advance(1);
    expect(client.state).toMatchObject({ status: 'waiting', reason: 'no answer' });
    await nextAttempt(world, client);
    expect(world.request.asks('since')).toBe('t1');
  });

  it('reconnects after a network failure', async () => {
    const { world, client } = await polling({}, () => {});
    await world.request.fail();
    expect(client.state).toMatchObject({ status: 'waiting', reason: 'network' });
  });

  it('uses a renewed token from the next request on', async () => {
    let count = 0;
    const { world } = await polling({ token: () => `jwt${++count}` }, (each) => each.subscribe('feed:42', () => {}));
    await world.request.answer({ events: [{ type: 'token_expiring', expiresAt: '' }], since: 't1' });
    await settle();
    await world.advance(0);
    expect(world.request.init.headers).toEqual({ Authorization: 'Bearer jwt2' });
  });

  it('stops for good at close()', async () => {
    const { world, client } = await polling({}, () => {});
    await world.request.answer({ events: [], since: 't1' });
    await world.advance(0);
    client.close();
    expect(world.request.init.signal?.aborted).toBe(true);
    await world.advance(60_000);
    expect(world.requests).toHaveLength(2);
    expect(world.timerCount).toBe(0);
    expect(client.state.status).toBe('closed');
  });
});
