import type { FeedStore } from '@tidings/client';
import { useEffect, useState, type RefObject } from 'react';
import { ReaderActivity } from './ReaderActivity';

/** Tells the list on screen whether new posts may be put on top, or must wait behind the button. */
export function useLiveReading(store: FeedStore, list: RefObject<HTMLElement | null>): void {
  const [activity] = useState(() => new ReaderActivity());
  useEffect(() => {
    if (list.current === null) return;
    const tell = () => store.setReaderAtTopIdle(activity.atTopIdle.get());
    const stop = activity.atTopIdle.subscribe(tell);
    activity.start(list.current);
    tell();
    return () => {
      activity.stop();
      stop();
      store.setReaderAtTopIdle(false);
    };
  }, [activity, store, list]);
}
