import { afterEach, describe, expect, it, vi } from 'vitest';
import { answerWith, json, problem } from '../testing/answers';
import { issueToken, readMe } from './accounts';
import { ApiError } from './ApiError';
import { createPost } from './posts';
import { request } from './request';
import { aPost } from '../testing/aPost';

afterEach(() => vi.unstubAllGlobals());

describe('request', () => {
  it('turns problem details into an error with code, message and fields', async () => {
    answerWith(() => problem(422, 'validation', { detail: 'Not valid.', errors: { Nickname: ['Taken.'], email: 'Wrong.' } }));
    const error = await request('/api/auth/register', { method: 'POST', body: {} }).catch((e: unknown) => e as ApiError);
    expect(error).toMatchObject({ status: 422, code: 'validation', message: 'Not valid.', fields: { nickname: ['Taken.'], email: ['Wrong.'] } });
  });

  it('says something useful when the answer is not JSON', async () => {
    answerWith(() => new Response('<h1>Bad gateway</h1>', { status: 502 }));
    await expect(request('/api/posts')).rejects.toMatchObject({ status: 502, code: 'http_502', message: /server has a problem/ });
  });

  it('tells an answer that never came from a refusal', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
    await expect(request('/api/posts')).rejects.toMatchObject({ status: 0, code: 'unreachable' });
  });

  it('reads Retry-After', async () => {
    answerWith(() => new Response('{}', { status: 429, headers: { 'Retry-After': '7' } }));
    await expect(request('/api/posts')).rejects.toMatchObject({ retryAfter: 7 });
  });

  it('names no credentials mode: the cookie is of the same origin', async () => {
    const fetch = vi.fn((_path: string, _init: RequestInit) => Promise.resolve(json({})));
    vi.stubGlobal('fetch', fetch);
    await request('/api/posts');
    expect(fetch.mock.calls[0]?.[1]).not.toHaveProperty('credentials');
  });
});

describe('accounts', () => {
  it('takes 401 as nobody, and nothing else', async () => {
    answerWith(() => problem(401, 'not_signed_in'));
    expect(await readMe()).toBeNull();
    expect(await issueToken()).toBeNull();
    answerWith(() => problem(503, 'unavailable'));
    await expect(readMe()).rejects.toBeInstanceOf(ApiError);
    await expect(issueToken()).rejects.toBeInstanceOf(ApiError);
  });
});

describe('createPost', () => {
  it('sends the key, leaves an empty title out, and unwraps the post', async () => {
    const asked = answerWith(() => json({ success: true, post: aPost() }, 201));
    const post = await createPost({ title: ' ', content: ' Hello ' }, 'key-1');
    expect(post.id).toBe('p1');
    expect(asked[0]).toMatchObject({ method: 'POST', path: '/api/posts', body: { content: 'Hello' } });
    expect(asked[0]?.headers['Idempotency-Key']).toBe('key-1');
  });
});
