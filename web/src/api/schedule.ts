import type { Post } from '@tidings/client';
import { request } from './request';

/** Where a post is published: `tidings` is this server's feed. */
export interface Target {
  id: string;
  platform: string;
  status: string;
  handle?: string;
  url?: string;
  error?: string;
}

export interface Schedule {
  scheduledAt: string;
  /** What the clock shows in `timeZone`. */
  localTime: string;
  timeZone: string;
  /** A sentence, if the time is not what was asked for: clocks change on that day. */
  note?: string;
}

export interface PublishingStatus {
  postId: string;
  status: string;
  schedule?: Schedule;
  targets: Target[];
}

export interface ConnectedAccount {
  id: string;
  platform: string;
  handle: string;
  status: string;
}

export interface ScheduleRequest {
  content: string;
  /** Wall time such as 2026-11-24T09:00:00. */
  scheduledAt: string;
  timeZone: string;
  accountIds: string[];
}

export interface Scheduled {
  post: Post;
  targets: Target[];
  schedule: Schedule | null;
}

export function schedulePost(wanted: ScheduleRequest, idempotencyKey: string): Promise<Scheduled> {
  return request<Scheduled>('/api/posts', { method: 'POST', body: { ...wanted, status: 'scheduled' }, idempotencyKey });
}

export function listScheduled(signal?: AbortSignal): Promise<{ posts: Post[]; positions: Record<string, string> }> {
  return request('/api/posts?status=scheduled&limit=20', { signal });
}

export function readTargets(postId: string, signal?: AbortSignal): Promise<PublishingStatus> {
  return request<PublishingStatus>(`/api/posts/${encodeURIComponent(postId)}/targets`, { signal });
}

export function cancelSchedule(postId: string): Promise<Scheduled> {
  return request<Scheduled>(`/api/posts/${encodeURIComponent(postId)}/schedule`, { method: 'DELETE' });
}

export function retryTarget(postId: string, targetId: string): Promise<unknown> {
  return request(`/api/posts/${encodeURIComponent(postId)}/targets/${encodeURIComponent(targetId)}/retry`, { method: 'POST' });
}

/** What became of a target that nobody knows of: its author has looked. */
export function resolveTarget(postId: string, targetId: string, as: 'published' | 'again'): Promise<unknown> {
  return request(`/api/posts/${encodeURIComponent(postId)}/targets/${encodeURIComponent(targetId)}/resolve`, { method: 'POST', body: { as } });
}

export async function listAccounts(signal?: AbortSignal): Promise<ConnectedAccount[]> {
  return (await request<{ accounts: ConnectedAccount[] }>('/api/accounts', { signal })).accounts;
}
