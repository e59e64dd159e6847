import { describe, expect, it, vi } from 'vitest';
import { TidingsClient } from '../src/TidingsClient.ts';
import { clientIn, connectedClient } from './support/connectedClient.ts';
import { FakeWorld } from './support/FakeWorld.ts';

describe('TidingsClient', () => {
  it('hands on events by type, of channels that nobody subscribed to as well, each once per channel', async () => {
    const { world, client } = await connectedClient();
    const handler = vi.fn();
    const stop = client.on('notice', handler);
    const event = { type: 'notice', channel: 'broadcast:all', id: 'e1', data: { text: 'hello' } };
    world.socket.say(event);
    world.socket.say(event);
    expect(handler).toHaveBeenCalledExactlyOnceWith(event);
    world.socket.say({ ...event, channel: 'public:posts' });
    expect(handler).toHaveBeenCalledTimes(2);
    stop();
    world.socket.say({ ...event, id: 'e2' });
    expect(handler).toHaveBeenCalledTimes(2);
  });

  it('takes events that the host feeds by hand: to the type, to the channel if named, and to those who ask', () => {
    const world = new FakeWorld();
    const client = clientIn(world);
    const [byType, byChannel, otherChannel, injected] = [vi.fn(), vi.fn(), vi.fn(), vi.fn()];
    client.on('post_created', byType);
    const subscription = client.subscribe('feed:42', byChannel, { since: 'p1' });
    client.subscribe('feed:7', otherChannel);
    client.onInjected(injected);
    client.inject({ type: 'post_created' });
    expect([byType, byChannel, otherChannel, injected].map((each) => each.mock.calls.length)).toEqual([1, 0, 0, 1]);
    client.inject({ type: 'post_created', channel: 'feed:42', id: 'e1', position: 'made up' });
    expect([byType, byChannel, otherChannel, injected].map((each) => each.mock.calls.length)).toEqual([2, 1, 0, 2]);
    expect(subscription.position).toBe('p1');
  });

  it('delivers an event once that comes by hand and by the server, and still moves on', async () => {
    const { world, client } = await connectedClient();
    const handler = vi.fn();
    const subscription = client.subscribe('feed:42', handler);
    client.inject({ type: 'post_created', channel: 'feed:42', id: 'e1' });
    world.socket.say({ type: 'post_created', channel: 'feed:42', id: 'e1', position: 'p1' });
    expect(handler).toHaveBeenCalledOnce();
    expect(subscription.position).toBe('p1');
  });

  it('listens to websocket-event on the window, before connect() and until close()', () => {
    const world = new FakeWorld();
    const client = clientIn(world);
    const handler = vi.fn();
    client.on('post_created', handler);
    const feed = (detail: unknown): boolean => world.window.dispatchEvent(new CustomEvent('websocket-event', { detail }));
    feed({ type: 'post_created', post: {} });
    expect(handler).toHaveBeenCalledExactlyOnceWith({ type: 'post_created', post: {} });
    for (const nonsense of [null, undefined, 'post_created', {}, { type: 1 }]) feed(nonsense);
    expect(world.errors).toEqual([]);
    client.close();
    feed({ type: 'post_created' });
    expect(handler).toHaveBeenCalledOnce();
    client.connect();
    feed({ type: 'post_created' });
    expect(handler).toHaveBeenCalledTimes(2);
  });

  it('can be made where there is no page, but not connected without a url', () => {
    const client = new TidingsClient({ environment: { window: undefined, document: undefined } });
    expect(client.state.status).toBe('idle');
    expect(() => client.connect()).toThrow(/url/);
  });

  it('rejects commands while there is no connection', async () => {
    const client = clientIn(new FakeWorld());
    await expect(client.publish('post:1', 'typing', {})).rejects.toMatchObject({ code: 'not_connected' });
    await expect(client.history('post:1')).rejects.toMatchObject({ code: 'not_connected' });
    await expect(client.presence('post:1')).rejects.toMatchObject({ code: 'not_connected' });
  });
});
