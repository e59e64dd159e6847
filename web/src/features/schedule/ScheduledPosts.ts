import type { Post, TidingsClient, TidingsEvent } from '@tidings/client';
import { explain } from '../../api/ApiError';
import { listScheduled, readTargets, type PublishingStatus, type Schedule, type Target } from '../../api/schedule';
import { Observable } from '../../app/Observable';

/** A post that is to be published, or was while this page was open. */
export interface ScheduledPost {
  id: string;
  text: string;
  status: string;
  schedule: Schedule | null;
  targets: Target[];
}

export interface ScheduledState {
  posts: ScheduledPost[] | null;
  error: string | null;
}

/**
 * The reader's scheduled posts with the state of each place that they go to, kept up to date by the events of the reader's own channel. What is published while
 * somebody looks stays on the page, so that the end of it is seen.
 */
export class ScheduledPosts {
  readonly state = new Observable<ScheduledState>({ posts: null, error: null });
  #ended = new AbortController();
  readonly #latest = new Map<string, PublishingStatus>();
  #stop: (() => void) | null = null;

  async begin(client: TidingsClient | null, userId: string): Promise<void> {
    const ended = (this.#ended = new AbortController());
    const positions = await this.load();
    if (client === null || ended.signal.aborted || positions === null) return;
    const channel = `user:${userId}`;
    const since = positions[channel];
    const subscription = client.subscribe(channel, (event) => this.hear(event), { ...(since === undefined ? {} : { since }), onGap: () => void this.load() });
    this.#stop = () => subscription.unsubscribe();
  }

  end(): void {
    this.#ended.abort();
    this.#stop?.();
    this.#stop = null;
  }

  /** Reads the list, and keeps what is on the page and no longer in it. */
  async load(): Promise<Record<string, string> | null> {
    try {
      const page = await listScheduled(this.#ended.signal);
      const read = await Promise.all(page.posts.map(async (post) => this.#of(post, await readTargets(post.id, this.#ended.signal))));
      const ids = new Set(read.map((post) => post.id));
      const shown = (this.state.get().posts ?? []).filter((post) => !ids.has(post.id));
      this.#show([...read.map((post) => this.#withLatest(post)), ...shown]);
      return page.positions;
    } catch (failure) {
      if (!this.#ended.signal.aborted) this.state.set({ ...this.state.get(), error: explain(failure) });
      return null;
    }
  }

  readonly hear = (event: TidingsEvent): void => {
    if (event.type === 'post:created') void this.load();
    if (event.type !== 'post_status') return;
    const told = event as unknown as PublishingStatus;
    this.#latest.set(told.postId, told);
    const posts = this.state.get().posts;
    if (posts === null) return;
    if (posts.some((post) => post.id === told.postId)) this.#show(posts.map((post) => this.#withLatest(post)));
    else void this.load();
  };

  /** An event may have come while the list was being read: it is newer. The names of accounts are in the list alone. */
  #withLatest(post: ScheduledPost): ScheduledPost {
    const told = this.#latest.get(post.id);
    if (told === undefined) return post;
    const handles = new Map(post.targets.map((target) => [target.id, target.handle]));
    const targets = told.targets.map((target) => {
      const handle = handles.get(target.id);
      return handle === undefined ? target : { ...target, handle };
    });
    return { ...post, status: told.status, targets };
  }

  #of(post: Post, status: PublishingStatus): ScheduledPost {
    return { id: post.id, text: post.content.text ?? '', status: status.status, schedule: status.schedule ?? null, targets: status.targets };
  }

  #show(posts: ScheduledPost[]): void {
    this.state.set({ posts, error: null });
  }
}
