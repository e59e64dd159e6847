import { describe, expect, it, vi } from 'vitest';
import { clientIn, connectedClient, nextAttempt } from '../support/connectedClient.ts';
import { FakeWorld, settle } from '../support/FakeWorld.ts';

describe('WebSocketTransport', () => {
  it('subscribes once per channel, from the position that the page had', async () => {
    const { world, client } = await connectedClient();
    const onSubscribed = vi.fn();
    client.subscribe('feed:42', () => {}, { since: 'p1', onSubscribed });
    expect(world.socket.sent).toEqual([{ type: 'subscribe', channel: 'feed:42', since: 'p1', id: 1 }]);
    world.socket.attach('feed:42', { position: 'p9', recovered: true });
    expect(onSubscribed).toHaveBeenCalledExactlyOnceWith({ position: 'p1', recovered: true });
  });

  it('sends what was subscribed to before it was open, with presence and token', async () => {
    const { world, client } = await connectedClient();
    world.socket.end(1006);
    client.subscribe('room:1', () => {}, { presence: true, token: 'room-token' });
    await nextAttempt(world, client);
    expect(world.socket.sent).toEqual([]);
    world.socket.welcome();
    expect(world.socket.sent).toEqual([{ type: 'subscribe', channel: 'room:1', presence: true, token: 'room-token', id: 1 }]);
  });

  it('takes a batch as its messages, one after the other', async () => {
    const { world, client } = await connectedClient();
    const calls: string[] = [];
    client.subscribe('post:1', (event) => calls.push(event.type), { onSubscribed: () => calls.push('subscribed') });
    const events = [{ type: 'subscribed', id: 1, channel: 'post:1', position: 'p1' }, { type: 'post_liked', channel: 'post:1', id: 'e1' }, null, 7, { type: 'post_deleted', channel: 'post:1', id: 'e2' }];
    world.socket.say({ type: 'batch', events });
    expect(calls).toEqual(['subscribed', 'post_liked', 'post_deleted']);
  });

  it('ignores what it does not understand', async () => {
    const { world, client } = await connectedClient();
    const anything = vi.fn();
    for (const type of ['error', 'pong', 'subscribed', 'published']) client.on(type, anything);
    for (const text of ['', 'nonsense', '[]', 'null', '{"type":7}', '{}']) world.socket.say(text);
    world.socket.say({ type: 'error', code: 'not_subscribed', message: '' });
    world.socket.say({ type: 'subscribed', id: 99, channel: 'post:1' });
    world.socket.say({ type: 'pong', id: 98 });
    expect(anything).not.toHaveBeenCalled();
    expect(client.state.status).toBe('connected');
  });

  it('unsubscribes with the last handler only', async () => {
    const { world, client } = await connectedClient();
    const first = client.subscribe('post:1', () => {});
    const second = client.subscribe('post:1', () => {});
    first.unsubscribe();
    first.unsubscribe();
    expect(world.socket.ofType('unsubscribe')).toEqual([]);
    second.unsubscribe();
    expect(world.socket.ofType('unsubscribe')).toEqual([{ type: 'unsubscribe', channel: 'post:1' }]);
    expect(world.socket.ofType('subscribe')).toHaveLength(1);
  });

  it.each(['rate_limited', 'internal'])('asks again later after %s', async (code) => {
    const { world, client } = await connectedClient();
    const onClosed = vi.fn();
    const subscription = client.subscribe('post:1', () => {}, { since: 'p1', onClosed });
    for (let round = 1; round <= 3; round++) {
      world.socket.say({ type: 'error', id: round, code, message: 'later', channel: 'post:1' });
      const wait = 250 * 2 ** (round - 1);
      await world.advance(wait - 1);
      expect(world.socket.ofType('subscribe')).toHaveLength(round);
      await world.advance(1);
      expect(world.socket.ofType('subscribe')).toHaveLength(round + 1);
    }
    expect(world.socket.ofType('subscribe').at(-1)).toMatchObject({ since: 'p1' });
    world.socket.say({ type: 'error', id: 4, code, message: 'later' });
    subscription.unsubscribe();
    await world.advance(9_000);
    expect(world.socket.ofType('subscribe')).toHaveLength(4);
    expect(onClosed).not.toHaveBeenCalled();
  });

  it.each(['forbidden', 'unknown_channel', 'bad_request', 'too_many_subscriptions'])('closes the subscription after %s, and does not ask again', async (code) => {
    const { world, client } = await connectedClient();
    const onClosed = vi.fn();
    client.subscribe('post:1', () => {}, { onClosed });
    world.socket.say({ type: 'error', id: 1, code, message: 'No.', channel: 'post:1' });
    expect(onClosed).toHaveBeenCalledExactlyOnceWith({ code, message: 'No.' });
    expect(world.socket.sent).toHaveLength(1);
    world.socket.end(1006);
    await nextAttempt(world, client);
    world.socket.welcome();
    expect(world.socket.sent).toEqual([]);
  });

  it('tells when access is revoked', async () => {
    const { world, client } = await connectedClient();
    const onClosed = vi.fn();
    const handler = vi.fn();
    client.subscribe('post:1', handler, { onClosed });
    world.socket.attach('post:1', { position: 'p1' });
    world.socket.say({ type: 'unsubscribed', channel: 'post:1', reason: 'access_revoked' });
    expect(onClosed).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'access_revoked' }));
    world.socket.say({ type: 'post_liked', channel: 'post:1', id: 'e1' });
    expect(handler).not.toHaveBeenCalled();
  });

  it('asks for a sign of life after heartbeat + 10 s of silence, and takes any answer for one', async () => {
    const { world, client } = await connectedClient();
    await world.advance(34_999);
    expect(world.socket.ofType('ping')).toHaveLength(0);
    await world.advance(1);
    expect(world.socket.ofType('ping')).toEqual([{ type: 'ping', id: 1 }]);
    await world.advance(9_999);
    world.socket.say({ type: 'pong', id: 1, serverTime: '' });
    await world.advance(34_999);
    expect(world.socket.ofType('ping')).toHaveLength(1);
    await world.advance(1);
    expect(world.socket.ofType('ping')).toHaveLength(2);
    expect(client.state.status).toBe('connected');
  });

  it('gives a silent connection up 10 s after it asked, and reconnects', async () => {
    const { world, client } = await connectedClient();
    const lost = vi.fn();
    client.onConnectionLost(lost);
    await world.advance(45_000);
    expect(lost).toHaveBeenCalledExactlyOnceWith({ code: 1006, reason: 'the server went silent' });
    expect(world.socket.closedWith).toBe(4000);
    await nextAttempt(world, client);
    expect(world.sockets).toHaveLength(2);
  });

  it('asks at once when the page wakes up, but only once', async () => {
    const { world } = await connectedClient();
    world.document.dispatchEvent(new Event('visibilitychange'));
    world.window.dispatchEvent(new Event('online'));
    expect(world.socket.ofType('ping')).toHaveLength(1);
    await world.advance(10_000);
    expect(world.socket.closedWith).toBe(4000);
  });

  it('answers commands, and fails them with the code of the server', async () => {
    const { world, client } = await connectedClient();
    const published = client.publish('post:1', 'typing', {});
    const history = client.history('post:1', { since: 'p1', limit: 10 });
    const presence = client.presence('post:1');
    expect(world.socket.sent).toEqual([
      { type: 'publish', channel: 'post:1', event: 'typing', data: {}, id: 1 },
      { type: 'history', channel: 'post:1', since: 'p1', limit: 10, id: 2 },
      { type: 'presence', channel: 'post:1', id: 3 },
    ]);
    world.socket.say({ type: 'presence', id: 3, channel: 'post:1', members: [{ userId: '7' }] });
    world.socket.say({ type: 'history', id: 2, channel: 'post:1', events: [{ type: 'post_liked' }], position: 'p2', recovered: true });
    world.socket.say({ type: 'error', id: 1, code: 'forbidden', message: 'Not here.' });
    await expect(published).rejects.toMatchObject({ name: 'TidingsError', code: 'forbidden', message: 'Not here.' });
    await expect(history).resolves.toEqual({ events: [{ type: 'post_liked' }], position: 'p2', recovered: true });
    await expect(presence).resolves.toEqual([{ userId: '7' }]);
  });

  it('fails commands that are not answered: in time, or before the end', async () => {
    const { world, client } = await connectedClient();
    const slow = client.publish('post:1', 'typing', {});
    const slowFails = expect(slow).rejects.toMatchObject({ code: 'timeout' });
    await world.advance(10_000);
    await slowFails;
    const lost = client.presence('post:1');
    world.socket.end(1006);
    await expect(lost).rejects.toMatchObject({ code: 'connection_lost' });
    await expect(client.presence('post:1')).rejects.toMatchObject({ code: 'not_connected' });
  });

  it('survives a browser that refuses the address', async () => {
    const world = new FakeWorld();
    class Refusing {
      constructor() {
        throw new Error('SecurityError');
      }
    }
    const client = clientIn(world, { environment: { ...world.environment(), WebSocket: Refusing as never } });
    client.connect();
    await settle();
    expect(client.state).toMatchObject({ status: 'waiting', reason: 'SecurityError' });
  });
});
