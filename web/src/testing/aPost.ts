import type { Post } from '@tidings/client';

export const nora = { id: 'u1', nickname: 'nora', fullName: 'Nora Lindqvist', avatar: null, isCreator: true };
export const lin = { id: 'u2', nickname: 'lin', fullName: 'Lin Zhao', avatar: null, isCreator: true };

interface Parts {
  id?: string;
  text?: string;
  creator?: Post['creator'];
  createdAt?: string;
  likesCount?: number;
  version?: number;
}

export function aPost({ id = 'p1', text = 'Hello', creator = lin, createdAt = '2026-05-01T10:00:00.000Z', likesCount = 0, version = 1 }: Parts = {}): Post {
  return {
    id,
    content: { title: '', text },
    media: { type: 'text', url: null, thumbnail: null },
    access: { isLocked: false, price: null, currency: 'SOL', tier: null, hasAccess: true },
    creator,
    metadata: { createdAt, updatedAt: createdAt, category: null, likesCount, commentsCount: 0, status: 'published', scheduledAt: null, version },
  };
}
