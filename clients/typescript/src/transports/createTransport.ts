import type { Environment } from '../browserEnvironment.ts';
import type { TransportName } from '../connection/ConnectionState.ts';
import { PollTransport } from './PollTransport.ts';
import { SseTransport } from './SseTransport.ts';
import type { StreamPlace } from './StreamPlace.ts';
import type { Transport, TransportHost } from './Transport.ts';
import { WebSocketTransport } from './WebSocketTransport.ts';

export function createTransport(name: TransportName, baseUrl: URL, environment: Environment, host: TransportHost, place: StreamPlace): Transport {
  if (name === 'sse') return new SseTransport(baseUrl, environment, host, place);
  if (name === 'poll') return new PollTransport(baseUrl, environment, host, place);
  return new WebSocketTransport(baseUrl, environment, {
    ...host,
    opened: (connection) => {
      // From here on the positions of the channels move on without the token of the streams.
      place.reset();
      host.opened(connection);
    },
  });
}
