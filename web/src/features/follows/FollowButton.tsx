import { useApp } from '../../app/AppContext';
import { useObservable } from '../../app/useObservable';
import { useVisit } from '../../app/VisitContext';

export function FollowButton({ creator }: { creator: { id: string; nickname: string } }) {
  const { router } = useApp();
  const { follows, user } = useVisit();
  const following = useObservable(follows.of(creator.id));
  if (user?.id === creator.id) return <span className="you">You</span>;
  return (
    <button
      type="button"
      className={following ? 'button small follow-button following' : 'button small primary follow-button'}
      // The words change, so the state is not told a second time as pressed. The hidden word belongs to the pointer.
      aria-label={following ? `Following @${creator.nickname}. Unfollow` : `Follow @${creator.nickname}`}
      data-following={following}
      data-testid={`follow-${creator.id}`}
      onClick={() => (user === null ? router.go('/signin') : void follows.toggle(creator))}
    >
      <span className="follow-rest">{following ? 'Following' : 'Follow'}</span>
      {following && <span className="follow-hover">Unfollow</span>}
    </button>
  );
}
