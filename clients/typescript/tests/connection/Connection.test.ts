import { describe, expect, it, vi } from 'vitest';
import { clientIn, connectedClient, nextAttempt } from '../support/connectedClient.ts';
import { FakeWorld } from '../support/FakeWorld.ts';

describe('Connection', () => {
  it('goes from idle over connecting to connected, and tells of each state once', async () => {
    const world = new FakeWorld();
    const client = clientIn(world);
    const states: string[] = [];
    client.onState((state) => states.push(state.status));
    expect(client.state).toEqual({ status: 'idle' });
    client.connect();
    client.connect();
    await world.advance(0);
    expect(client.state).toEqual({ status: 'connecting', attempt: 1, transport: 'websocket' });
    world.socket.welcome();
    expect(client.state).toEqual({ status: 'connected', transport: 'websocket', connectionId: 'c1', userId: '42' });
    expect(states).toEqual(['connecting', 'connected']);
    expect(world.sockets).toHaveLength(1);
    expect(world.socket.url).toBe('wss://tidings.test/ws?batch=1');
  });

  it('keeps the path prefix of the server and uses ws: for http:', async () => {
    const world = new FakeWorld();
    clientIn(world, { url: 'http://host.test/tidings' }).connect();
    await world.advance(0);
    expect(world.socket.url).toBe('ws://host.test/tidings/ws?batch=1');
  });

  it('reconnects after a loss, tells of it, and waits with full jitter', async () => {
    const { world, client } = await connectedClient();
    const lost = vi.fn();
    client.onConnectionLost(lost);
    world.socket.end(1006);
    expect(lost).toHaveBeenCalledExactlyOnceWith({ code: 1006, reason: '' });
    expect(client.state).toEqual({ status: 'waiting', attempt: 1, retryAt: world.time + 250, reason: 'closed with 1006' });
    await world.advance(249);
    expect(world.sockets).toHaveLength(1);
    await world.advance(1);
    expect(world.sockets).toHaveLength(2);
  });

  it('waits longer from loss to loss until a connection stayed up for 10 s', async () => {
    const { world, client } = await connectedClient();
    const loseAfter = async (milliseconds: number): Promise<number> => {
      await world.advance(milliseconds);
      world.socket.end(1001);
      const { retryAt } = client.state as { retryAt: number };
      const wait = retryAt - world.time;
      await world.advance(wait);
      world.socket.welcome();
      return wait;
    };
    expect([await loseAfter(9_999), await loseAfter(0), await loseAfter(0)]).toEqual([250, 500, 1_000]);
    expect(await loseAfter(10_000)).toBe(250);
  });

  it.each([1001, 4429, 4503])('honours retry= of %d, and waking up does not shorten it', async (code) => {
    const { world } = await connectedClient();
    world.socket.end(code, 'go elsewhere; retry=8000');
    world.window.dispatchEvent(new Event('online'));
    await world.advance(9_999);
    expect(world.sockets).toHaveLength(1);
    await world.advance(1);
    expect(world.sockets).toHaveLength(2);
  });

  it.each([1003, 1007, 1009, 4400, 4403])('does not come back after %d', async (code) => {
    const { world, client } = await connectedClient();
    world.socket.end(code, 'why');
    expect(client.state).toEqual({ status: 'closed', code, reason: 'why' });
    await world.advance(3_600_000);
    expect(world.sockets).toHaveLength(1);
  });

  it.each(['online', 'visibilitychange'])('tries at once on %s', async (sign) => {
    const { world } = await connectedClient();
    world.luck = 0.999;
    world.socket.end(1006);
    (sign === 'online' ? world.window : world.document).dispatchEvent(new Event(sign));
    await world.advance(0);
    expect(world.sockets).toHaveLength(2);
  });

  it('does not wake up when the page is hidden', async () => {
    const { world } = await connectedClient();
    world.socket.end(1006);
    world.document.visibilityState = 'hidden';
    world.document.dispatchEvent(new Event('visibilitychange'));
    await world.advance(0);
    expect(world.sockets).toHaveLength(1);
  });

  it('is offline when the browser says so, and looks again by itself', async () => {
    const { world, client } = await connectedClient();
    world.online = false;
    world.socket.end(1006);
    expect(client.state).toEqual({ status: 'offline' });
    await world.advance(29_999);
    expect(world.sockets).toHaveLength(1);
    await world.advance(1);
    expect(world.sockets).toHaveLength(2);
  });

  it('turns from waiting to offline, and being offline counts against no transport', async () => {
    const { world, client } = await connectedClient();
    world.socket.end(1006);
    world.online = false;
    world.window.dispatchEvent(new Event('offline'));
    expect(client.state.status).toBe('offline');
    for (let i = 0; i < 3; i++) {
      await world.advance(30_000);
      world.socket.end(1006);
    }
    world.online = true;
    world.window.dispatchEvent(new Event('online'));
    expect(client.state).toMatchObject({ status: 'connecting', transport: 'websocket' });
  });

  it('close() is for good, silent, and leaves no timer or listener behind; connect() starts anew', async () => {
    const { world, client } = await connectedClient();
    const lost = vi.fn();
    client.onConnectionLost(lost);
    client.close();
    expect(client.state).toEqual({ status: 'closed', code: 1000, reason: 'closed by the application' });
    expect(world.socket.closedWith).toBe(1000);
    expect(world.timerCount).toBe(0);
    world.window.dispatchEvent(new Event('online'));
    await world.advance(60_000);
    expect(world.sockets).toHaveLength(1);
    expect(lost).not.toHaveBeenCalled();
    client.connect();
    await world.advance(0);
    expect(world.sockets).toHaveLength(2);
  });

  it('ignores a token that arrives after close()', async () => {
    const world = new FakeWorld();
    let arrive: (token: string) => void = () => {};
    const client = clientIn(world, { token: () => new Promise((resolve) => (arrive = resolve)) });
    client.connect();
    client.close();
    arrive('late');
    await world.advance(0);
    expect(world.sockets).toHaveLength(0);
    expect(client.state.status).toBe('closed');
  });

  it('falls from WebSocket over SSE to polling when they cannot be established', async () => {
    const world = new FakeWorld();
    const client = clientIn(world);
    client.connect();
    await world.advance(0);
    world.socket.end(1006);
    await nextAttempt(world, client);
    world.socket.end(1006);
    await nextAttempt(world, client);
    expect(client.state).toMatchObject({ status: 'connecting', attempt: 3, transport: 'sse' });
    await world.advance(10_000); // a proxy that buffers: the stream never says a word
    expect(world.source.isClosed).toBe(true);
    await nextAttempt(world, client);
    expect(client.state).toMatchObject({ status: 'connecting', transport: 'poll' });
    await world.request.answer({ events: [], since: 't0' });
    expect(client.state).toEqual({ status: 'connected', transport: 'poll', connectionId: null, userId: null });
  });

  it('does not blame the transport when the server itself closed before the welcome', async () => {
    const world = new FakeWorld();
    const client = clientIn(world);
    client.connect();
    await world.advance(0);
    for (let i = 0; i < 4; i++) {
      world.socket.end(4503);
      await nextAttempt(world, client);
    }
    expect(world.sockets).toHaveLength(5);
    expect(world.sources).toHaveLength(0);
  });

  it('leaves SSE for the WebSocket that had worked before, five minutes after an outage', async () => {
    const { world, client } = await connectedClient();
    world.socket.end(1006);
    await nextAttempt(world, client);
    await world.advance(10_000); // no answer at all
    await nextAttempt(world, client);
    world.source.welcome('t1');
    expect(client.state).toMatchObject({ status: 'connected', transport: 'sse' });
    await world.advance(5 * 60_000);
    expect(client.state).toMatchObject({ status: 'connecting', transport: 'websocket' });
    expect(world.source.isClosed).toBe(true);
  });

  it('uses only what the environment offers', async () => {
    const world = new FakeWorld();
    const client = clientIn(world, { environment: { ...world.environment(), WebSocket: undefined, EventSource: undefined } });
    client.connect();
    expect(client.state).toMatchObject({ transport: 'poll' });
    const nothing = clientIn(world, { transports: [] });
    nothing.connect();
    expect(nothing.state.status).toBe('closed');
  });
});
