import type { FeedSnapshot } from '@tidings/client';
import { useEffect, useRef, useState } from 'react';
import { AnnouncementPace } from './AnnouncementPace';
import { newcomersIn } from './newcomersIn';

interface Props {
  snapshot: FeedSnapshot;
  readerId: string | null;
}

/** The feed itself is not a live region; this says how many posts came, now and then. */
export function FeedAnnouncer({ snapshot, readerId }: Props) {
  const [text, setText] = useState('');
  const before = useRef(snapshot);
  const pace = useRef<AnnouncementPace | null>(null);

  useEffect(() => {
    const current = new AnnouncementPace((count) => setText(count === 1 ? '1 new post' : `${count} new posts`));
    pace.current = current;
    return () => current.stop();
  }, []);

  useEffect(() => {
    pace.current?.add(newcomersIn(before.current, snapshot, readerId));
    before.current = snapshot;
  }, [snapshot, readerId]);

  return (
    <div className="visually-hidden" role="status" data-testid="feed-announcer">
      {text}
    </div>
  );
}
