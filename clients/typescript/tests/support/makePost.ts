import type { Post, PostAccess, PostContent, PostMetadata } from '../../src/types.ts';

interface Parts {
  version?: number;
  author?: string;
  /** Minutes after midnight. */
  minute?: number;
  text?: string;
  content?: Partial<PostContent>;
  access?: Partial<PostAccess>;
  metadata?: Partial<PostMetadata>;
}

export function makePost(id: string, { version = 1, author = 'ann', minute = 0, text = `text of ${id}`, content, access, metadata }: Parts = {}): Post {
  const createdAt = new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
  return {
    id,
    content: { title: '', text, ...content },
    media: { type: 'text', url: null, thumbnail: null },
    access: { isLocked: false, price: null, currency: 'SOL', tier: null, hasAccess: true, ...access },
    creator: { id: author, nickname: author, fullName: '', avatar: null, isCreator: true },
    metadata: { createdAt, updatedAt: createdAt, category: null, likesCount: 0, commentsCount: 0, status: 'published', scheduledAt: null, version, ...metadata },
  };
}

/** The preview of a locked post, as a reader without the right gets it. */
export function makePreview(id: string, parts: Parts = {}): Post {
  return makePost(id, { ...parts, content: { ...parts.content, text: null }, access: { isLocked: true, hasAccess: false } });
}

export function makeFull(id: string, parts: Parts = {}): Post {
  return makePost(id, { ...parts, access: { isLocked: true, hasAccess: true } });
}
