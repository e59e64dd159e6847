import type { FeedSnapshot, FeedStore } from '@tidings/client';
import { useCallback, useSyncExternalStore } from 'react';

export function useFeedSnapshot(store: FeedStore): FeedSnapshot {
  const subscribe = useCallback((listener: () => void) => store.subscribe(listener), [store]);
  return useSyncExternalStore(subscribe, () => store.snapshot());
}
