export interface FeedStoreOptions {
  /** Whose posts count as own; null when signed out. */
  readonly ownUserId: string | null;
  /** Kept in memory. Default 100. */
  readonly maxPosts?: number;
  /** Kept behind the button. Default 50. */
  readonly maxPending?: number;
  /** How long events are gathered before the list changes. Default 100. */
  readonly batchDelayMs?: number;
  readonly now?: () => number;
  readonly schedule?: (callback: () => void, milliseconds: number) => void;
}
