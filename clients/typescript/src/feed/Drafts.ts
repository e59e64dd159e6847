import type { Post } from '../types.ts';
import type { FeedDraft, FeedPost } from './FeedSnapshot.ts';

/** Further apart than any two clocks should be: an older post of the same words is another post. */
const clockTolerance = 5 * 60_000;

interface Draft {
  readonly post: FeedPost;
  readonly startedAt: number;
  /** The broadcast of this very post came before the answer to its POST. */
  broadcastId?: string;
}

/** Own posts that the server has not confirmed yet. */
export class Drafts {
  readonly #drafts = new Map<string, Draft>();

  /** Those to be shown, the latest first. */
  visible(): FeedPost[] {
    return [...this.#drafts.values()]
      .filter((draft) => draft.broadcastId === undefined)
      .map((draft) => draft.post)
      .reverse();
  }

  /** Sending the same one again replaces the failed one. */
  add(clientId: string, draft: FeedDraft, startedAt: number): void {
    this.#drafts.delete(clientId);
    this.#drafts.set(clientId, { post: localPost(clientId, draft, startedAt), startedAt });
  }

  /** Nobody is told which draft a broadcast belongs to, so the words decide. Returns the client id of the draft it stands for from now on. */
  match(post: Post): string | undefined {
    for (const [clientId, draft] of this.#drafts) {
      const { title, text } = draft.post.content;
      const isSame =
        draft.broadcastId === undefined &&
        draft.post.localState === 'sending' &&
        (text ?? '').trim() === (post.content.text ?? '').trim() &&
        title.trim() === (post.content.title ?? '').trim() &&
        Date.parse(post.metadata.createdAt) >= draft.startedAt - clockTolerance;
      if (!isSame) continue;
      draft.broadcastId = post.id;
      return clientId;
    }
    return undefined;
  }

  /** Returns the id of the broadcast that was taken for it, if any. */
  remove(clientId: string): string | undefined {
    const draft = this.#drafts.get(clientId);
    this.#drafts.delete(clientId);
    return draft?.broadcastId;
  }

  fail(clientId: string, failure: string): void {
    const draft = this.#drafts.get(clientId);
    if (draft === undefined) return;
    // Its broadcast came, so the post is there and only the answer was lost.
    if (draft.broadcastId !== undefined) this.#drafts.delete(clientId);
    else this.#drafts.set(clientId, { ...draft, post: { ...draft.post, localState: 'failed', failure } });
  }
}

function localPost(clientId: string, draft: FeedDraft, startedAt: number): FeedPost {
  const now = new Date(startedAt).toISOString();
  return {
    id: `local:${clientId}`,
    clientId,
    localState: 'sending',
    content: { title: '', text: '', ...draft.content },
    media: { type: 'text', url: null, thumbnail: null, ...draft.media },
    access: { isLocked: false, price: null, currency: 'SOL', tier: null, ...draft.access, hasAccess: true },
    creator: draft.creator,
    metadata: {
      createdAt: now,
      updatedAt: now,
      category: draft.category ?? null,
      likesCount: 0,
      commentsCount: 0,
      status: 'publishing',
      scheduledAt: null,
      version: 0,
    },
  };
}
