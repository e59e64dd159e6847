import { vi } from 'vitest';

export interface Asked {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
}

type Answer = (asked: Asked) => Response | Promise<Response>;

/** Stands in for the server: `answer` decides, and every request is kept. */
export function answerWith(answer: Answer): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal('fetch', (path: string, init: RequestInit = {}) => {
    const request: Asked = {
      method: init.method ?? 'GET',
      path,
      headers: (init.headers ?? {}) as Record<string, string>,
      body: typeof init.body === 'string' ? (JSON.parse(init.body) as unknown) : undefined,
    };
    asked.push(request);
    return Promise.resolve(answer(request));
  });
  return asked;
}

export function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });
}

export function problem(status: number, code: string, more: Record<string, unknown> = {}): Response {
  return json({ status, code, title: code, ...more }, status);
}
