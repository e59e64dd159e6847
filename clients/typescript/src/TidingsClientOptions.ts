import type { Environment } from './browserEnvironment.ts';
import type { TransportName } from './connection/ConnectionState.ts';
import type { TokenOption } from './connection/TokenSource.ts';

export interface TidingsClientOptions {
  /** The server, with its path prefix if it has one. Default: the page's origin. */
  readonly url?: string;
  /** Who connects. Without it the cookie decides, or the connection is anonymous. */
  readonly token?: TokenOption;
  /** What may be tried, in this order. Default: `['websocket', 'sse', 'poll']`. */
  readonly transports?: readonly TransportName[];
  /** For tests, and for places that lack something: Node's EventSource, say. */
  readonly environment?: Partial<Environment>;
}
