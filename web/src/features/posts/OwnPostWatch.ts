import { VisibilityWatch, type Post, type TidingsClient, type TidingsEvent } from '@tidings/client';
import type { PostPage } from '../../api/posts';
import type { Toasts } from '../../app/Toasts';
import type { Feed } from './Feed';

export interface OwnPostWatchOptions {
  client: TidingsClient | null;
  feeds: readonly Feed[];
  toasts: Toasts;
}

const mostRemembered = 500;

/**
 * After an own post was taken by the server: says so, and sees to it that the feed knows. By its event; by reading the feed at once if the
 * connection was down; by reading it after five seconds of silence; and if that fails, by a notice with a Refresh button.
 */
export class OwnPostWatch {
  readonly #client: TidingsClient | null;
  readonly #feeds: readonly Feed[];
  readonly #toasts: Toasts;
  readonly #watch: VisibilityWatch;
  /** Posts that came as an event or on a page, of which some may be own ones whose answer is still on its way. */
  readonly #arrived = new Set<string>();

  constructor({ client, feeds, toasts }: OwnPostWatchOptions) {
    this.#client = client;
    this.#feeds = feeds;
    this.#toasts = toasts;
    this.#watch = new VisibilityWatch({
      isConnected: () => this.isConnected,
      isVisible: (id) => this.#arrived.has(id),
      refresh: () => this.#refresh(),
      warn: () => toasts.show('warning', 'Your post is published. Live updates are slow at the moment.'),
      notice: () => this.#shownFeed?.setNotice('Your post is published, but the feed could not be refreshed.'),
    });
  }

  get isConnected(): boolean {
    return this.#client?.state.status === 'connected';
  }

  published(post: Post, wasConnected: boolean): void {
    this.#toasts.show('success', 'Post published successfully!');
    void this.#watch.watch(post.id, wasConnected);
  }

  hear(event: TidingsEvent): void {
    const post = event.type === 'post_created' ? (event['post'] as Post | undefined) : undefined;
    if (post === undefined) return;
    this.#remember(post.id);
    this.#watch.delivered(post.id);
  }

  read(page: PostPage): void {
    for (const post of page.posts) this.#remember(post.id);
  }

  end(): void {
    this.#watch.stop();
  }

  get #shownFeed(): Feed | undefined {
    return this.#feeds.find((feed) => feed.isShown);
  }

  async #refresh(): Promise<void> {
    const shown = this.#shownFeed;
    for (const feed of this.#feeds) if (feed !== shown) feed.markStale();
    if (shown !== undefined && !(await shown.refresh())) throw new Error('The feed could not be read.');
  }

  #remember(postId: string): void {
    this.#arrived.add(postId);
    if (this.#arrived.size <= mostRemembered) return;
    const [oldest] = this.#arrived;
    if (oldest !== undefined) this.#arrived.delete(oldest);
  }
}
