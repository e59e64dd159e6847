import type { Post } from '@tidings/client';
import { request } from './request';

/** `following`: oneself and those one follows. `all`: everyone's public posts. */
export type FeedScope = 'following' | 'all';

export interface PostDraft {
  title: string;
  content: string;
}

export interface PostPage {
  posts: Post[];
  nextCursor: string | null;
  /** Where the page's channels stood when it was read: subscribing since there leaves no seam. */
  positions: Record<string, string>;
  /** Those of the posts that the reader likes. */
  liked?: string[];
}

export interface PageQuery {
  scope?: FeedScope;
  creatorId?: string;
  cursor?: string;
  limit?: number;
}

export function listPosts(query: PageQuery, signal?: AbortSignal): Promise<PostPage> {
  const search = new URLSearchParams({ limit: String(query.limit ?? 20) });
  if (query.scope === 'all') search.set('scope', 'all');
  if (query.creatorId !== undefined) search.set('creatorId', query.creatorId);
  if (query.cursor !== undefined) search.set('cursor', query.cursor);
  return request<PostPage>(`/api/posts?${search.toString()}`, { signal });
}

export async function readPost(id: string): Promise<Post> {
  return unwrap(await request<Wrapped>(`/api/posts/${encodeURIComponent(id)}`));
}

/** Sending again with the same key is always safe: the server publishes once. */
export async function createPost(draft: PostDraft, idempotencyKey: string): Promise<Post> {
  return unwrap(await request<Wrapped>('/api/posts', { method: 'POST', body: bodyOf(draft), idempotencyKey }));
}

export async function editPost(id: string, draft: PostDraft): Promise<Post> {
  const body = { title: draft.title.trim(), content: draft.content.trim() };
  return unwrap(await request<Wrapped>(`/api/posts/${encodeURIComponent(id)}`, { method: 'PATCH', body }));
}

export function deletePost(id: string): Promise<void> {
  return request<void>(`/api/posts/${encodeURIComponent(id)}`, { method: 'DELETE' });
}

export function setLiked(id: string, liked: boolean): Promise<{ likesCount: number; liked: boolean }> {
  return request(`/api/posts/${encodeURIComponent(id)}/like`, { method: liked ? 'POST' : 'DELETE' });
}

type Wrapped = Post | { post: Post };

function unwrap(answer: Wrapped): Post {
  return 'post' in answer ? answer.post : answer;
}

function bodyOf(draft: PostDraft): Record<string, string> {
  const title = draft.title.trim();
  return title === '' ? { content: draft.content.trim() } : { title, content: draft.content.trim() };
}
