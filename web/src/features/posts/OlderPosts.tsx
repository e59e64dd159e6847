import { useEffect, useRef } from 'react';
import { useObservable } from '../../app/useObservable';
import type { Feed } from './Feed';

/** The end of the page: loads more when a reader who scrolls comes near, never by itself on a page that was just opened. */
export function OlderPosts({ feed, isFull }: { feed: Feed; isFull: boolean }) {
  const { nextCursor, loadingOlder } = useObservable(feed.state);
  const end = useRef<HTMLDivElement>(null);
  const hasMore = nextCursor !== null && !isFull;

  useEffect(() => {
    const element = end.current;
    if (element === null || !hasMore || loadingOlder || typeof IntersectionObserver === 'undefined') return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (window.scrollY > 0 && entries.some((entry) => entry.isIntersecting)) void feed.loadOlder();
      },
      { rootMargin: '600px 0px' },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [feed, hasMore, loadingOlder]);

  if (nextCursor === null) return <p className="feed-end">You have seen everything.</p>;
  if (isFull) return <p className="feed-end">These are the latest 100 posts.</p>;
  return (
    <div ref={end} className="feed-more">
      <button type="button" className="button" disabled={loadingOlder} onClick={() => void feed.loadOlder()}>
        {loadingOlder ? 'Loading…' : 'Show older posts'}
      </button>
    </div>
  );
}
