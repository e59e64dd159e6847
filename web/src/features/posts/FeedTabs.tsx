import type { FeedScope } from '../../api/posts';
import { Link } from '../../app/Link';
import { useVisit } from '../../app/VisitContext';
import { useFeedSnapshot } from './useFeedSnapshot';

const tabs: readonly { scope: FeedScope; name: string; to: string }[] = [
  { scope: 'following', name: 'Following', to: '/feed' },
  { scope: 'all', name: 'Everyone', to: '/feed?tab=everyone' },
];

/** Two addresses rather than a tab widget: they can be linked to, and going back works. */
export function FeedTabs({ scope }: { scope: FeedScope }) {
  return (
    <nav className="feed-tabs" aria-label="Feeds">
      {tabs.map((tab) => (
        <Link key={tab.scope} to={tab.to} className="feed-tab" data-testid={`tab-${tab.scope}`} aria-current={tab.scope === scope ? 'page' : undefined}>
          {tab.name}
          {tab.scope !== scope && <Waiting scope={tab.scope} />}
        </Link>
      ))}
    </nav>
  );
}

/** A dot: the other feed has something new. */
function Waiting({ scope }: { scope: FeedScope }) {
  const { pendingCount } = useFeedSnapshot(useVisit().feed(scope).store);
  return pendingCount === 0 ? null : (
    <>
      <span className="feed-tab-dot" aria-hidden="true" />
      <span className="visually-hidden"> has new posts</span>
    </>
  );
}
