import { request } from './request';

export interface Creator {
  id: string;
  nickname: string;
  fullName: string;
  avatar: string | null;
  isCreator?: boolean;
  bio?: string;
  postsCount?: number;
  followersCount?: number;
  isFollowing?: boolean;
}

export async function findCreators(query: string, signal?: AbortSignal): Promise<Creator[]> {
  const answer = await request<{ creators: Creator[] }>(`/api/creators?query=${encodeURIComponent(query)}`, { signal });
  return answer.creators;
}

export async function readCreator(id: string, signal?: AbortSignal): Promise<Creator> {
  const answer = await request<Creator | { creator: Creator }>(`/api/creators/${encodeURIComponent(id)}`, { signal });
  return 'creator' in answer ? answer.creator : answer;
}

export function setFollowing(id: string, following: boolean): Promise<void> {
  return request<void>(`/api/creators/${encodeURIComponent(id)}/follow`, { method: following ? 'POST' : 'DELETE' });
}
