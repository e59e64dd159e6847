import { useEffect, useState, type RefObject } from 'react';
import { ReaderActivity } from './ReaderActivity';

/** A list that inserts new posts only while that moves nothing that is being read. */
interface LiveList {
  setReaderAtTopIdle(value: boolean): void;
}

/** Tells the list on screen whether new posts may be put on top, or must wait behind the button. */
export function useLiveReading(posts: LiveList, list: RefObject<HTMLElement | null>): void {
  const [activity] = useState(() => new ReaderActivity());
  useEffect(() => {
    if (list.current === null) return;
    const tell = () => posts.setReaderAtTopIdle(activity.atTopIdle.get());
    const stop = activity.atTopIdle.subscribe(tell);
    activity.start(list.current);
    tell();
    return () => {
      activity.stop();
      stop();
      posts.setReaderAtTopIdle(false);
    };
  }, [activity, posts, list]);
}
