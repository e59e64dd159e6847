import { ApiError } from './ApiError';

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  body?: unknown;
  /** Makes repeating a request safe: the server answers the second time what it answered the first. */
  idempotencyKey?: string;
  signal?: AbortSignal;
  /** Milliseconds after which the answer is unknown; the default suits everything but uploads. */
  timeout?: number;
}

/** One JSON request to our own server. The session is a cookie of the same origin, which `fetch` sends by itself. */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json, application/problem+json' };
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  if (options.idempotencyKey !== undefined) headers['Idempotency-Key'] = options.idempotencyKey;

  const response = await send(path, headers, options);
  if (!response.ok) throw await ApiError.from(response);
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch {
    throw new ApiError({ status: response.status, code: 'not_json', message: 'The server sent an answer that this page cannot read.' });
  }
}

async function send(path: string, headers: Record<string, string>, options: RequestOptions): Promise<Response> {
  const timeout = AbortSignal.timeout(options.timeout ?? 20_000);
  try {
    return await fetch(path, {
      method: options.method ?? 'GET',
      headers,
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]),
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw ApiError.unreachable();
  }
}
