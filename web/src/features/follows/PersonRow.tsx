import type { Creator } from '../../api/creators';
import { Avatar } from '../../app/Avatar';
import { Link } from '../../app/Link';
import { countOf } from '../../app/words';
import { FollowButton } from './FollowButton';

export function PersonRow({ creator, compact = false }: { creator: Creator; compact?: boolean }) {
  const figures = [
    creator.followersCount === undefined ? null : countOf(creator.followersCount, 'follower'),
    creator.postsCount === undefined ? null : countOf(creator.postsCount, 'post'),
  ].filter((figure) => figure !== null);
  return (
    <li className="person" data-testid={`person-${creator.id}`}>
      <Link to={`/people/${encodeURIComponent(creator.id)}`} className="person-link">
        <Avatar person={creator} />
        <span className="person-words">
          <strong>{creator.fullName || creator.nickname}</strong>
          <span>@{creator.nickname}</span>
          {!compact && figures.length > 0 && <span>{figures.join(' · ')}</span>}
        </span>
      </Link>
      <FollowButton creator={creator} />
    </li>
  );
}
