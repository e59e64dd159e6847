/** Why a command failed: a code of the protocol (`forbidden`, `rate_limited` …) or of this client (`not_connected`, `unsupported_transport`, `connection_lost`, `timeout`). */
export class TidingsError extends Error {
  override readonly name = 'TidingsError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
