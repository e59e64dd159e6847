/** A way to the server, in the order in which they are tried. */
export type TransportName = 'websocket' | 'sse' | 'poll';

/**
 * Where the connection is.
 *
 *     idle → connecting → connected → waiting → connecting …
 *                       ↘ waiting ↗         ↘ offline → connecting …
 *     any → closed (for good; `connect()` starts anew)
 */
export type ConnectionState =
  | { readonly status: 'idle' }
  | { readonly status: 'connecting'; readonly attempt: number; readonly transport: TransportName }
  | {
      readonly status: 'connected';
      readonly transport: TransportName;
      /** Null on long polling, which has no lasting connection. */
      readonly connectionId: string | null;
      /** Null when anonymous, and on long polling, which does not say. */
      readonly userId: string | null;
    }
  | { readonly status: 'waiting'; readonly attempt: number; readonly retryAt: number; readonly reason: string }
  | { readonly status: 'offline' }
  | { readonly status: 'closed'; readonly code: number; readonly reason: string };
