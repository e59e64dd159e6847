/** The shapes that travel: the normalised post and the events. They are the same in the REST API, in an event and in a replay. */

/** Who wrote a post, as every post carries it. */
export interface PostCreator {
  id: string;
  nickname: string;
  fullName: string;
  avatar: string | null;
  isCreator: boolean;
}

/** Whether a post is locked, what opens it, and whether this reader may see it. */
export interface PostAccess {
  isLocked: boolean;
  price: number | string | null;
  currency: string;
  tier: string | null;
  hasAccess: boolean;
}

/** What a post shows; `url` is null in a preview. */
export interface PostMedia {
  type: 'text' | 'image' | 'video' | 'audio';
  url: string | null;
  thumbnail: string | null;
}

/** `text` is null in a preview, `""` where there is none. */
export interface PostContent {
  title: string;
  text: string | null;
}

/** Times, counters, and the `version` that rises with each change of the post or of its counters. */
export interface PostMetadata {
  createdAt: string;
  updatedAt: string;
  category: string | null;
  likesCount: number;
  commentsCount: number;
  status: string;
  scheduledAt: string | null;
  version: number;
}

/** A normalised post. */
export interface Post {
  id: string;
  content: PostContent;
  media: PostMedia;
  access: PostAccess;
  creator: PostCreator;
  metadata: PostMetadata;
}

/** A comment on a post. */
export interface PostComment {
  id: string;
  postId: string;
  author: PostCreator;
  content: string;
  parentId: string | null;
  createdAt: string;
}

/** An entry of a user's notifications. */
export interface TidingsNotification {
  id: string;
  type: string;
  title: string;
  message: string;
  data: unknown;
  isRead: boolean;
  createdAt: string;
}

/** Somebody who is present in a channel. */
export interface PresenceMember {
  userId: string;
  info?: unknown;
}

/** One target of a post: a connected account, and how publishing to it went. */
export interface PostTarget {
  id: string;
  platform: string;
  status: string;
  url?: string | null;
  error?: string | null;
}

/**
 * What a subscriber is handed. Product events are flat; an event that a host app published keeps its payload under `data`.
 * `channel`, `id`, `position` and `timestamp` are absent on what a host page feeds by hand.
 */
export interface TidingsEvent {
  readonly type: string;
  readonly channel?: string;
  readonly id?: string;
  readonly position?: string;
  readonly timestamp?: string;
  readonly [field: string]: unknown;
}

interface Counted {
  postId: string;
  version: number;
}
interface Liked extends Counted {
  likesCount: number;
  userId: string;
  changes: number;
}
interface Commented extends Counted {
  comment: PostComment;
  commentsCount: number;
}

/** The payload of each product event, by its type: `client.on('post_created', event => event.post)` is typed by it. */
export interface EventPayloads {
  post_created: { post: Post; userId: string };
  post_updated: { post: Post; version: number };
  post_deleted: Counted;
  post_liked: Liked;
  post_unliked: Liked;
  comment_added: Commented;
  comment_updated: Commented;
  comment_deleted: Counted & { commentId: string; commentsCount: number };
  feed_update: { reason: string; postIds?: string[]; count?: number };
  notification: { notification: TidingsNotification; unreadCount: number };
  notification_read: { notificationId?: string; all?: boolean; unreadCount: number };
  notifications_cleared: { unreadCount: number };
  unread_notifications: { notifications: TidingsNotification[]; unreadCount: number };
  typing: { userId: string; until: string };
  presence_joined: { member: PresenceMember };
  presence_left: { member: PresenceMember };
  presence_count: { count: number };
  post_status: { postId: string; status: string; targets: PostTarget[] };
  'post:published': { postId: string; platform: string; platforms: string[]; error?: string };
  'post:failed': { postId: string; platform: string; platforms: string[]; error?: string };
}

/** A product event of type `T`. */
export type EventOf<T extends keyof EventPayloads> = TidingsEvent & { readonly type: T } & Readonly<EventPayloads[T]>;

/** Takes an event; what it throws is reported and stops nobody else. */
export type EventHandler<E extends TidingsEvent = TidingsEvent> = (event: E) => void;
