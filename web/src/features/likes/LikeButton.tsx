import type { Post } from '@tidings/client';
import { useEffect } from 'react';
import { useApp } from '../../app/AppContext';
import { useVisit } from '../../app/VisitContext';
import { HeartIcon } from '../../app/icons';
import { shortCount } from '../../app/words';
import { useObservable } from '../../app/useObservable';
import { useSteadyCount } from './useSteadyCount';
import './likes.css';

export function LikeButton({ post, disabled }: { post: Post; disabled: boolean }) {
  const { router } = useApp();
  const { likes, user } = useVisit();
  const like = useObservable(likes.of(post.id));
  useEffect(() => likes.seen(post), [likes, post]);
  const count = useSteadyCount(like.count ?? post.metadata.likesCount, like.count !== null);

  return (
    <button
      type="button"
      className="like-button"
      aria-pressed={like.liked}
      aria-label={`Like, ${shortCount(count)} ${count === 1 ? 'like' : 'likes'}`}
      data-testid={`like-${post.id}`}
      disabled={disabled}
      onClick={() => (user === null ? router.go('/signin') : likes.toggle(post))}
    >
      <HeartIcon filled={like.liked} />
      <span className="count" data-testid={`likes-count-${post.id}`}>{count === 0 ? '' : shortCount(count)}</span>
    </button>
  );
}
