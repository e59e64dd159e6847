import { TidingsClient } from '../../src/TidingsClient.ts';
import type { TidingsClientOptions } from '../../src/TidingsClientOptions.ts';
import { FakeWorld } from './FakeWorld.ts';

export function clientIn(world: FakeWorld, options: TidingsClientOptions = {}): TidingsClient {
  return new TidingsClient({ url: 'https://tidings.test', environment: world.environment(), ...options });
}

/** A client with a WebSocket that the server has welcomed. */
export async function connectedClient(options: TidingsClientOptions = {}): Promise<{ world: FakeWorld; client: TidingsClient }> {
  const world = new FakeWorld();
  const client = clientIn(world, options);
  client.connect();
  await world.advance(0);
  world.socket.welcome();
  return { world, client };
}

/** Lets the client's wait pass, and no more than that: the next attempt has just begun. */
export async function nextAttempt(world: FakeWorld, client: TidingsClient): Promise<void> {
  if (client.state.status !== 'waiting') throw new Error(`The client is ${client.state.status}, not waiting.`);
  await world.advance(client.state.retryAt - world.time);
}
