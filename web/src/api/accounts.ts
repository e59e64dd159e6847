import { ApiError } from './ApiError';
import { request } from './request';

export interface User {
  id: string;
  nickname: string;
  fullName: string;
  avatar: string | null;
  isCreator: boolean;
}

export interface Registration {
  nickname: string;
  email: string;
  password: string;
  fullName?: string;
}

/** The signed-in user, or null. */
export async function readMe(): Promise<User | null> {
  try {
    return (await request<{ user: User }>('/api/auth/me')).user;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}

export async function register(registration: Registration): Promise<User> {
  return (await request<{ user: User }>('/api/auth/register', { method: 'POST', body: registration })).user;
}

export async function signIn(login: string, password: string): Promise<User> {
  return (await request<{ user: User }>('/api/auth/login', { method: 'POST', body: { login, password } })).user;
}

export function signOut(): Promise<void> {
  return request<void>('/api/auth/logout', { method: 'POST' });
}

/** A short-lived token for the live connection; null when the session is over. Throws when the server cannot be reached, so that the client tries again. */
export async function issueToken(): Promise<string | null> {
  try {
    return (await request<{ token: string }>('/api/auth/token', { method: 'POST' })).token;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}
