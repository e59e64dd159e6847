import { describe, expect, it, vi } from 'vitest';
import { clientIn, connectedClient, nextAttempt } from '../support/connectedClient.ts';
import { FakeWorld, settle, type FakeSocket } from '../support/FakeWorld.ts';

const channel = 'feed:42';

function sayEvents(socket: FakeSocket, ...numbers: number[]): void {
  for (const n of numbers) socket.say({ type: 'post_created', channel, id: `e${n}`, position: `p${n}` });
}

function idsOf(handler: ReturnType<typeof vi.fn>): string[] {
  return handler.mock.calls.map(([event]) => (event as { id: string }).id);
}

describe('Subscriptions', () => {
  it('resume from the last position seen, and drop what a replay repeats', async () => {
    const { world, client } = await connectedClient();
    const handler = vi.fn();
    const subscription = client.subscribe(channel, handler);
    world.socket.attach(channel, { position: 'p0' });
    expect(subscription.position).toBe('p0');
    sayEvents(world.socket, 1, 2);
    expect(subscription.position).toBe('p2');
    world.socket.end(1006);
    await nextAttempt(world, client);
    world.socket.welcome();
    expect(world.socket.ofType('subscribe')).toEqual([{ type: 'subscribe', channel, since: 'p2', id: 1 }]);
    world.socket.attach(channel, { position: 'p4', recovered: true });
    sayEvents(world.socket, 2, 3, 3, 4);
    expect(idsOf(handler)).toEqual(['e1', 'e2', 'e3', 'e4']);
  });

  it('resume from the answer when no event came', async () => {
    const { world, client } = await connectedClient();
    client.subscribe(channel, () => {});
    world.socket.attach(channel, { position: 'p0' });
    world.socket.end(1006);
    await nextAttempt(world, client);
    world.socket.welcome();
    expect(world.socket.ofType('subscribe')[0]).toMatchObject({ since: 'p0' });
  });

  it('resume from where a replay began when it is cut short, not from the head that the answer named', async () => {
    const { world, client } = await connectedClient();
    client.subscribe(channel, () => {}, { since: 'p1' });
    world.socket.attach(channel, { position: 'p9', recovered: true });
    world.socket.end(1006);
    await nextAttempt(world, client);
    world.socket.welcome();
    expect(world.socket.ofType('subscribe')[0]).toMatchObject({ since: 'p1' });
  });

  it('tell of a gap when the history does not reach back, and go on from the present', async () => {
    const { world, client } = await connectedClient();
    const calls: string[] = [];
    const subscription = client.subscribe(channel, () => {}, { since: 'p1', onGap: () => calls.push('gap'), onSubscribed: (info) => calls.push(JSON.stringify(info)) });
    world.socket.attach(channel, { position: 'p9', recovered: false });
    expect(calls).toEqual(['{"position":"p9","recovered":false}', 'gap']);
    expect(subscription.position).toBe('p9');
  });

  it('tell of a gap after a reconnect to a channel without history, but not at first', async () => {
    const { world, client } = await connectedClient();
    const onGap = vi.fn();
    client.subscribe('presence:online', () => {}, { onGap });
    world.socket.attach('presence:online');
    expect(onGap).not.toHaveBeenCalled();
    world.socket.end(1006);
    await nextAttempt(world, client);
    world.socket.welcome();
    world.socket.attach('presence:online');
    expect(onGap).toHaveBeenCalledOnce();
  });

  it('deliver to every handler of a channel although one throws', async () => {
    const { world, client } = await connectedClient();
    const error = new Error('mine');
    const second = vi.fn();
    const byType = vi.fn();
    client.subscribe(channel, () => {
      throw error;
    });
    client.subscribe(channel, second);
    client.on('post_created', byType);
    world.socket.attach(channel, { position: 'p0' });
    sayEvents(world.socket, 1);
    expect(second).toHaveBeenCalledOnce();
    expect(byType).toHaveBeenCalledOnce();
    expect(world.errors).toEqual([error]);
  });

  it('deliver nothing more once unsubscribed, even by a handler before it', async () => {
    const { world, client } = await connectedClient();
    const second = vi.fn();
    client.subscribe(channel, () => other.unsubscribe());
    const other = client.subscribe(channel, second);
    sayEvents(world.socket, 1);
    expect(second).not.toHaveBeenCalled();
  });

  it('go back to a later handler’s place, and repeat nothing for the others', async () => {
    const { world, client } = await connectedClient();
    const first = vi.fn();
    const second = vi.fn();
    client.subscribe(channel, first);
    world.socket.attach(channel, { position: 'p0' });
    sayEvents(world.socket, 1, 2, 3);
    client.subscribe(channel, second, { since: 'p1' });
    expect(world.socket.sent.slice(-2)).toEqual([
      { type: 'unsubscribe', channel },
      { type: 'subscribe', channel, since: 'p1', id: 2 },
    ]);
    sayEvents(world.socket, 4); // still of the former subscription
    world.socket.attach(channel, { position: 'p4', recovered: true });
    sayEvents(world.socket, 2, 3, 4, 5);
    expect(idsOf(first)).toEqual(['e1', 'e2', 'e3', 'e4', 'e5']);
    expect(idsOf(second).toSorted()).toEqual(['e2', 'e3', 'e4', 'e5']);
  });

  it('tell everybody to fetch again when the connection is lost on the way back', async () => {
    const { world, client } = await connectedClient();
    const onGap = vi.fn();
    client.subscribe(channel, () => {}, { onGap });
    world.socket.attach(channel, { position: 'p5' });
    client.subscribe(channel, () => {}, { since: 'p1', onGap });
    world.socket.end(1006);
    expect(onGap).toHaveBeenCalledTimes(2);
  });

  it('honour both places when two handlers come before the connection', async () => {
    const world = new FakeWorld();
    const client = clientIn(world);
    client.subscribe(channel, () => {}, { since: 'p1' });
    client.subscribe(channel, () => {}, { since: 'p5' });
    client.connect();
    await world.advance(0);
    world.socket.welcome();
    expect(world.socket.ofType('subscribe').map((message) => message['since'])).toEqual(['p1']);
    world.socket.attach(channel, { position: 'p9', recovered: true });
    expect(world.socket.ofType('subscribe').map((message) => message['since'])).toEqual(['p1', 'p5']);
  });

  it('take the place of the second handler when the first has none', async () => {
    const world = new FakeWorld();
    const client = clientIn(world);
    client.subscribe(channel, () => {});
    client.subscribe(channel, () => {}, { since: 'p5' });
    client.connect();
    await world.advance(0);
    world.socket.welcome();
    world.socket.attach(channel, { position: 'p9', recovered: true });
    expect(world.socket.ofType('subscribe').map((message) => message['since'])).toEqual(['p5']);
  });

  it('enter again when a later handler wants to be present', async () => {
    const { world, client } = await connectedClient();
    client.subscribe('post:1', () => {});
    client.subscribe('post:1', () => {}, { presence: true });
    expect(world.socket.ofType('subscribe')).toHaveLength(1);
    world.socket.attach('post:1', { position: 'p1' });
    expect(world.socket.ofType('subscribe').at(-1)).toMatchObject({ presence: true, since: 'p1' });
  });

  it('tell a later handler that the channel is attached already', async () => {
    const { world, client } = await connectedClient();
    client.subscribe(channel, () => {});
    world.socket.attach(channel, { position: 'p1' });
    const onSubscribed = vi.fn();
    client.subscribe(channel, () => {}, { onSubscribed });
    expect(onSubscribed).not.toHaveBeenCalled(); // never before `subscribe` has returned
    await settle();
    expect(onSubscribed).toHaveBeenCalledExactlyOnceWith({ position: 'p1' });
  });

  it('keep their place from one transport to the next', async () => {
    const { world, client } = await connectedClient({ transports: ['websocket', 'sse'] });
    const handler = vi.fn();
    client.subscribe(channel, handler);
    world.socket.attach(channel, { position: 'p0' });
    sayEvents(world.socket, 1);
    for (let i = 0; i < 3; i++) {
      world.socket.end(1006);
      await nextAttempt(world, client);
    }
    expect(world.source.asks('positions')).toBe('p1');
    world.source.welcome('t1');
    world.source.say({ type: 'post_created', channel, id: 'e2', position: 'p2' }, 't2');
    await world.advance(5 * 60_000);
    world.socket.welcome();
    expect(world.socket.ofType('subscribe')).toEqual([{ type: 'subscribe', channel, since: 'p2', id: 1 }]);
    expect(idsOf(handler)).toEqual(['e1', 'e2']);
  });

  it('do not keep the ids of ever', async () => {
    const { world, client } = await connectedClient();
    const handler = vi.fn();
    client.subscribe(channel, handler);
    sayEvents(world.socket, ...Array.from({ length: 1_001 }, (_, n) => n));
    sayEvents(world.socket, 1, 0); // 1 is still known, 0 had to go
    expect(handler).toHaveBeenCalledTimes(1_002);
  });
});
