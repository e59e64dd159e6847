import type { FeedDraft, Post, PostCreator } from '@tidings/client';
import { explain } from '../../api/ApiError';
import { createPost, type PostDraft } from '../../api/posts';
import { randomId } from '../../app/randomId';
import type { Feed } from './Feed';

interface Letter {
  draft: PostDraft;
  /** The same for every attempt at the same words: if the first one arrived after all, the server publishes nothing twice. */
  key: string;
}

export interface OutboxOptions {
  /** Null when signed out: then nothing is sent. */
  author: PostCreator | null;
  feeds: readonly Feed[];
  isConnected: () => boolean;
  /** The server has taken the post; `wasConnected` is how it was when it was sent. */
  published: (post: Post, wasConnected: boolean) => void;
  send?: typeof createPost;
}

/** Own posts on their way: on screen at once, swapped for the server's answer, or kept with what went wrong. */
export class Outbox {
  readonly #letters = new Map<string, Letter>();
  readonly #author: PostCreator | null;
  readonly #feeds: readonly Feed[];
  readonly #isConnected: () => boolean;
  readonly #published: OutboxOptions['published'];
  readonly #send: typeof createPost;

  constructor(options: OutboxOptions) {
    this.#author = options.author;
    this.#feeds = options.feeds;
    this.#isConnected = options.isConnected;
    this.#published = options.published;
    this.#send = options.send ?? createPost;
  }

  get isEmpty(): boolean {
    return this.#letters.size === 0;
  }

  send(draft: PostDraft): string {
    const clientId = randomId();
    this.#letters.set(clientId, { draft, key: randomId() });
    void this.#attempt(clientId);
    return clientId;
  }

  retry(clientId: string): void {
    if (this.#letters.has(clientId)) void this.#attempt(clientId);
  }

  /** What a failed post says, to be changed. */
  draftOf(clientId: string): PostDraft | null {
    return this.#letters.get(clientId)?.draft ?? null;
  }

  /** Sends a failed post with other words. */
  sendChanged(clientId: string, draft: PostDraft): void {
    const letter = this.#letters.get(clientId);
    if (letter !== undefined && letter.draft.title === draft.title && letter.draft.content === draft.content) {
      this.retry(clientId);
      return;
    }
    this.discard(clientId);
    this.send(draft);
  }

  discard(clientId: string): void {
    this.#letters.delete(clientId);
    for (const feed of this.#feeds) feed.store.discard(clientId);
  }

  async #attempt(clientId: string): Promise<void> {
    const letter = this.#letters.get(clientId);
    if (letter === undefined || this.#author === null) return;
    const shown: FeedDraft = { content: { title: letter.draft.title.trim(), text: letter.draft.content.trim() }, creator: this.#author };
    for (const feed of this.#feeds) feed.store.addSending(clientId, shown);
    const wasConnected = this.#isConnected();
    try {
      const post = await this.#send(letter.draft, letter.key);
      this.#letters.delete(clientId);
      for (const feed of this.#feeds) feed.store.confirm(clientId, post);
      this.#published(post, wasConnected);
    } catch (error) {
      for (const feed of this.#feeds) feed.store.fail(clientId, explain(error));
      // Its broadcast came although the answer was lost: the post is there.
      if (!this.#feeds.some((feed) => feed.store.snapshot().posts.some((post) => post.clientId === clientId && post.localState === 'failed')))
        this.#letters.delete(clientId);
    }
  }
}
