import { TidingsClient, type FeedStore, type TidingsEvent } from '@tidings/client';
import { issueToken, readMe, type User } from '../api/accounts';
import type { FeedScope, PostPage } from '../api/posts';
import { Follows } from '../features/follows/Follows';
import { Likes } from '../features/likes/Likes';
import { Composing } from '../features/posts/Composing';
import { Feed } from '../features/posts/Feed';
import { Outbox } from '../features/posts/Outbox';
import { OwnPostWatch } from '../features/posts/OwnPostWatch';
import { routeEvent } from '../features/posts/routeEvents';
import { VisiblePosts } from '../features/posts/VisiblePosts';
import type { Toasts } from './Toasts';

const heardTypes = [
  'post_created', 'post_updated', 'post_deleted', 'post_liked', 'post_unliked',
  'comment_added', 'comment_deleted', 'feed_update',
] as const;

/** Everything that belongs to one reader between signing in and signing out; without a user it reads over REST and has no connection. */
export class Visit {
  readonly user: User | null;
  readonly client: TidingsClient | null;
  readonly feeds: readonly Feed[];
  readonly outbox: Outbox;
  readonly composing = new Composing();
  readonly likes: Likes;
  readonly follows: Follows;
  readonly visiblePosts: VisiblePosts;
  readonly #ownPosts: OwnPostWatch;
  readonly #expired: () => void;
  /** Lists of posts on other pages than the feed's. */
  readonly #otherStores = new Set<FeedStore>();
  #stops: (() => void)[] = [];

  constructor(user: User | null, toasts: Toasts, expired: () => void) {
    this.user = user;
    this.#expired = expired;
    this.client = user === null ? null : new TidingsClient({ token: issueToken });
    this.likes = new Likes(toasts);
    this.feeds = (user === null ? (['all'] as const) : (['following', 'all'] as const)).map((scope) => this.#feedOf(scope));
    this.follows = new Follows(toasts, () => this.feed('following').refreshSoon());
    this.visiblePosts = new VisiblePosts(this.client);
    this.#ownPosts = new OwnPostWatch({ client: this.client, feeds: this.feeds, toasts });
    this.outbox = new Outbox({
      author: user,
      feeds: this.feeds,
      isConnected: () => this.#ownPosts.isConnected,
      published: (post, wasConnected) => this.#ownPosts.published(post, wasConnected),
    });
  }

  /** Signed out there is one feed, everyone's. */
  readonly feed = (scope: FeedScope): Feed => {
    const feed = this.feeds.find((candidate) => candidate.scope === scope) ?? this.feeds[0];
    if (feed === undefined) throw new Error('A visit has at least one feed.');
    return feed;
  };

  /** Keeps another list of posts up to date about the posts that it has, until the returned function is called. */
  readonly watchStore = (store: FeedStore): (() => void) => {
    this.#otherStores.add(store);
    return () => this.#otherStores.delete(store);
  };

  /** What the reader did to a post, told to every list at once rather than when its event comes. */
  readonly apply = (event: TidingsEvent): void => {
    for (const feed of this.feeds) feed.store.apply(event);
    for (const store of this.#otherStores) store.apply(event);
  };

  begin(): void {
    const { client } = this;
    if (client === null) return;
    for (const type of heardTypes) this.#stops.push(client.on(type, (event: TidingsEvent) => this.#hear(event)));
    this.#stops.push(client.onState((state) => {
      if (state.status === 'closed' && state.code === 4401) void this.#checkSession();
    }));
    client.connect();
  }

  end(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
    this.#ownPosts.end();
    this.visiblePosts.end();
    for (const feed of this.feeds) feed.end();
    this.client?.close();
  }

  #feedOf(scope: FeedScope): Feed {
    const onPage = (page: PostPage) => {
      this.likes.learn(page.posts.map((post) => post.id), page.liked);
      this.#ownPosts.read(page);
    };
    return new Feed({ scope, readerId: this.user?.id ?? null, client: this.client, onPage });
  }

  #hear(event: TidingsEvent): void {
    const readerId = this.user?.id ?? '';
    const to = routeEvent(event, readerId);
    this.#ownPosts.hear(event);
    for (const feed of this.feeds) if (feed.scope === 'all' ? to.everyone : to.following) feed.hear(event);
    if (event.type !== 'post_created') for (const store of this.#otherStores) store.apply(event);
    if (event['userId'] !== readerId || typeof event['postId'] !== 'string') return;
    if (event.type === 'post_liked') this.likes.heard(event['postId'], true);
    if (event.type === 'post_unliked') this.likes.heard(event['postId'], false);
  }

  /** The connection was refused for want of a session: is it over, or was only the token bad? */
  async #checkSession(): Promise<void> {
    const user = await readMe().catch(() => this.user);
    if (user === null && this.#stops.length > 0) this.#expired();
  }
}
