import { describe, expect, it, vi } from 'vitest';
import { clientIn, connectedClient, nextAttempt } from '../support/connectedClient.ts';
import { FakeWorld, settle } from '../support/FakeWorld.ts';

describe('Tokens', () => {
  it('travel as a subprotocol of the WebSocket, and without one only ours is offered', async () => {
    const { world } = await connectedClient({ token: 'a.b.c' });
    expect(world.socket.protocols).toEqual(['tidings.v1', 'bearer.a.b.c']);
    expect(world.socket.url).not.toContain('a.b.c');
    const anonymous = await connectedClient();
    expect(anonymous.world.socket.protocols).toEqual(['tidings.v1']);
  });

  it('are asked for anew at each attempt when they come from a function', async () => {
    let count = 0;
    const { world, client } = await connectedClient({ token: async () => `t${++count}` });
    world.socket.end(1006);
    await nextAttempt(world, client);
    expect(world.sockets.map((socket) => socket.protocols[1])).toEqual(['bearer.t1', 'bearer.t2']);
  });

  it('a refused one is replaced by a new one, after a wait', async () => {
    const tokens = ['old', 'new'];
    const { world, client } = await connectedClient({ token: () => tokens.shift() ?? null });
    world.socket.end(4401, 'token_expired');
    expect(client.state).toMatchObject({ status: 'waiting', reason: 'token_expired' });
    await nextAttempt(world, client);
    expect(world.socket.protocols[1]).toBe('bearer.new');
  });

  it.each([
    ['a text', 'same'],
    ['a function that has no other', () => 'same'],
    ['a function that has none', () => null],
    ['nothing', undefined],
  ])('a refused one closes for good when the option is %s', async (_, token) => {
    const { world, client } = await connectedClient(token === undefined ? {} : { token });
    world.socket.end(4401, 'invalid_token');
    await world.advance(60_000);
    expect(client.state).toMatchObject({ status: 'closed', code: 4401 });
    expect(world.sockets).toHaveLength(1);
  });

  it('that can not be fetched now are asked for again later', async () => {
    const world = new FakeWorld();
    const token = vi.fn<() => Promise<string>>().mockRejectedValueOnce(new Error('no network')).mockResolvedValue('t');
    const client = clientIn(world, { token });
    client.connect();
    await settle();
    expect(client.state).toMatchObject({ status: 'waiting', reason: 'the token could not be fetched' });
    await nextAttempt(world, client);
    expect(world.socket.protocols[1]).toBe('bearer.t');
  });

  it('are renewed in band before they expire', async () => {
    let count = 0;
    const { world, client } = await connectedClient({ token: () => `t${++count}` });
    world.socket.say({ type: 'token_expiring', expiresAt: '2030-01-01T00:00:00.000Z' });
    await settle();
    expect(world.socket.ofType('auth')).toEqual([{ type: 'auth', token: 't2', id: 1 }]);
    world.socket.say({ type: 'authenticated', id: 1, expiresAt: '2030-01-01T01:00:00.000Z' });
    expect(client.state.status).toBe('connected');
    expect(world.sockets).toHaveLength(1);
  });

  it('refused once may be offered again after another was accepted', async () => {
    const tokens = ['a', 'b', 'a'];
    const { world, client } = await connectedClient({ token: () => tokens.shift() ?? null });
    world.socket.end(4401, 'token_expired');
    await nextAttempt(world, client);
    world.socket.welcome();
    world.socket.end(1006);
    await nextAttempt(world, client);
    expect(world.socket.protocols[1]).toBe('bearer.a');
  });

  it('refused once may be offered again by connect()', async () => {
    const { world, client } = await connectedClient({ token: () => 'same' });
    world.socket.end(4401, 'invalid_token');
    await nextAttempt(world, client);
    expect(client.state.status).toBe('closed');
    client.connect();
    await settle();
    expect(world.sockets).toHaveLength(2);
  });

  it('that expire later may be refused then, although they were accepted before', async () => {
    const tokens = ['a', 'b', 'a'];
    const { world, client } = await connectedClient({ token: () => tokens.shift() ?? null });
    world.socket.end(4401, 'token_expired');
    await nextAttempt(world, client);
    world.socket.welcome();
    world.socket.end(4401, 'token_expired');
    await nextAttempt(world, client);
    expect(world.socket.protocols[1]).toBe('bearer.a');
  });
});
