import type { FeedScope } from '../../api/posts';
import { WarningIcon } from '../../app/icons';
import { Link } from '../../app/Link';
import { useObservable } from '../../app/useObservable';
import { useVisit } from '../../app/VisitContext';
import type { Feed } from './Feed';

/** What stands in the feed's place, or above it, when there is something to say about it. */

export function FeedLoading() {
  return (
    <div className="skeletons" role="status">
      <span className="visually-hidden">Loading posts</span>
      {[0, 1, 2].map((row) => (
        <div key={row} className="post skeleton" aria-hidden="true">
          <span className="skeleton-avatar" />
          <span className="skeleton-line short" />
          <span className="skeleton-line" />
          <span className="skeleton-line medium" />
        </div>
      ))}
    </div>
  );
}

export function FeedFailed({ feed }: { feed: Feed }) {
  const { error } = useObservable(feed.state);
  return (
    <div className="empty" role="alert">
      <h2>The feed could not be loaded</h2>
      <p>{error}</p>
      <button type="button" className="button primary" onClick={() => void feed.refresh()}>
        Try again
      </button>
    </div>
  );
}

/** Always in the document, so that it is announced when it has something to say. */
export function FeedNotice({ feed }: { feed: Feed }) {
  const { notice } = useObservable(feed.state);
  return (
    <div role="status">
      {notice !== null && (
        <div className="notice" data-testid="feed-notice">
          <WarningIcon />
          <span>{notice}</span>
          <button type="button" className="button small" data-testid="refresh-feed" onClick={() => void feed.refresh()}>
            Refresh
          </button>
        </div>
      )}
    </div>
  );
}

export function FeedEmpty({ scope }: { scope: FeedScope }) {
  const { user, composing } = useVisit();
  if (scope === 'all') {
    return (
      <div className="empty">
        <h2>Nothing here yet</h2>
        <p>Be the first to post something. Whoever is here sees it at once.</p>
      </div>
    );
  }
  return (
    <div className="empty">
      <h2>Your feed begins here</h2>
      <p>Follow a few people, and what they post arrives here the moment they write it.</p>
      <div className="empty-actions">
        <Link to="/people" className="button primary">
          Find people
        </Link>
        {user !== null && (
          <button type="button" className="button" onClick={() => composing.begin()}>
            Write the first post
          </button>
        )}
      </div>
    </div>
  );
}
