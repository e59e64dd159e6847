/** What the end of a connection asks of the client: the table of close codes in docs/protocol.md. */
export interface CloseVerdict {
  readonly mayReconnect: 'yes' | 'with-new-token' | 'no';
  /** Milliseconds that the server named as `retry=ms`. */
  readonly retryAfter?: number;
  /** The server itself ended it, so the transport does work on this network. */
  readonly byServer: boolean;
}

const final = new Set([1003, 1007, 1009, 4400, 4403]);

/** Codes that a browser or a proxy makes up; every other one was sent by the server. */
const notFromTheServer = new Set([1002, 1005, 1006, 1015]);

export function closeVerdict(code: number, reason: string): CloseVerdict {
  const retry = /(?:^|\W)retry=(\d{1,9})/.exec(reason);
  return {
    mayReconnect: final.has(code) ? 'no' : code === 4401 ? 'with-new-token' : 'yes',
    byServer: !notFromTheServer.has(code),
    ...(retry !== null && { retryAfter: Number(retry[1]) }),
  };
}
