/** A refusal by the server (RFC 9457), or a request that got no answer at all (`status` 0, code `unreachable`). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** Messages by the field that they are about, named as in the request. */
  readonly fields: Readonly<Record<string, readonly string[]>>;
  /** Seconds that the server asks to wait. */
  readonly retryAfter: number | null;

  constructor(o: { status: number; code: string; message: string; fields?: Record<string, string[]>; retryAfter?: number | null }) {
    super(o.message);
    this.name = 'ApiError';
    this.status = o.status;
    this.code = o.code;
    this.fields = o.fields ?? {};
    this.retryAfter = o.retryAfter ?? null;
  }

  static unreachable(): ApiError {
    return new ApiError({ status: 0, code: 'unreachable', message: 'The server did not answer. Check your connection and try again.' });
  }

  static async from(response: Response): Promise<ApiError> {
    const problem = await readProblem(response);
    return new ApiError({
      status: response.status,
      code: text(problem['code']) ?? `http_${response.status}`,
      message: text(problem['detail']) ?? text(problem['title']) ?? messageFor(response.status),
      fields: readFields(problem['errors']),
      retryAfter: readRetryAfter(response.headers.get('Retry-After')),
    });
  }
}

/** What a person can be told about anything that was thrown. */
export function explain(error: unknown): string {
  return error instanceof ApiError ? error.message : 'Something went wrong. Please try again.';
}

async function readProblem(response: Response): Promise<Record<string, unknown>> {
  try {
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function readFields(errors: unknown): Record<string, string[]> {
  const fields: Record<string, string[]> = {};
  if (typeof errors !== 'object' || errors === null) return fields;
  for (const [name, messages] of Object.entries(errors)) {
    const key = name.charAt(0).toLowerCase() + name.slice(1);
    fields[key] = (Array.isArray(messages) ? messages : [messages]).filter((m): m is string => typeof m === 'string');
  }
  return fields;
}

function readRetryAfter(header: string | null): number | null {
  const seconds = header === null ? Number.NaN : Number(header);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function messageFor(status: number): string {
  if (status === 401) return 'Please sign in.';
  if (status === 403) return 'You may not do that.';
  if (status === 404) return 'It is not there any more.';
  if (status === 429) return 'Too many requests. Wait a moment and try again.';
  if (status >= 500) return 'The server has a problem. Please try again.';
  return 'The request was refused.';
}
