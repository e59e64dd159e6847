import type { FeedPost } from '@tidings/client';
import { memo, useEffect, useId, useRef, useState } from 'react';
import { Avatar } from '../../app/Avatar';
import { Link } from '../../app/Link';
import { useNow } from '../../app/useNow';
import { useVisit } from '../../app/VisitContext';
import { fullTime, shortAge } from '../../app/words';
import { LikeButton } from '../likes/LikeButton';
import { FailedPost } from './FailedPost';
import { PostBody } from './PostBody';
import { PostMenu } from './PostMenu';

interface Props {
  post: FeedPost;
  /** Its place in the feed, from 1. */
  place: number;
}

const justNow = 15_000;

/** One post. `data-testid` and `data-post-id` are promises to people's scripts. */
export const PostCard = memo(function PostCard({ post, place }: Props) {
  const { user, visiblePosts } = useVisit();
  const id = useId();
  const article = useRef<HTMLElement>(null);
  const now = useNow();
  const [arrives] = useState(() => Date.now() - Date.parse(post.metadata.createdAt) < justNow);
  const { creator, metadata, localState } = post;
  const isOwn = user?.id === creator.id;
  const isSettled = localState === undefined;

  useEffect(() => {
    if (article.current !== null && isSettled) return visiblePosts.watch(article.current, post.id);
  }, [visiblePosts, post.id, isSettled]);

  return (
    <article
      ref={article}
      className={`post${arrives ? ' arrives' : ''}${localState === undefined ? '' : ` is-${localState}`}`}
      data-testid={`post-${post.id}`}
      data-post-id={post.id}
      data-state={localState ?? 'published'}
      tabIndex={0}
      aria-posinset={place}
      aria-setsize={-1}
      aria-labelledby={`${id}-author ${id}-time`}
      aria-describedby={`${id}-body`}
      aria-busy={localState === 'sending'}
    >
      <Link to={`/people/${encodeURIComponent(creator.id)}`} className="post-avatar" tabIndex={-1} aria-hidden="true">
        <Avatar person={creator} />
      </Link>
      <header className="post-header">
        <span className="post-author" id={`${id}-author`}>
          <Link to={`/people/${encodeURIComponent(creator.id)}`} className="post-name">
            {creator.fullName || creator.nickname}
          </Link>
          <span className="post-nickname">@{creator.nickname}</span>
        </span>
        <span className="post-time" id={`${id}-time`}>
          {localState === 'sending' ? (
            <span className="post-sending">Sending…</span>
          ) : localState === 'failed' ? (
            <span className="post-unsent">Not sent</span>
          ) : (
            <>
              <time dateTime={metadata.createdAt} title={fullTime(metadata.createdAt)}>
                {shortAge(metadata.createdAt, now)}
              </time>
              {isEdited(post) && <span title={`Edited ${fullTime(metadata.updatedAt)}`}> · edited</span>}
            </>
          )}
        </span>
        {isOwn && isSettled && <PostMenu post={post} />}
      </header>
      <div className="post-body" id={`${id}-body`}>
        <PostBody post={post} />
      </div>
      {localState === 'failed' ? (
        <FailedPost post={post} />
      ) : (
        <footer className="post-footer">
          <LikeButton post={post} disabled={!isSettled} />
        </footer>
      )}
    </article>
  );
});

/** Counters also move `updatedAt` on some servers' clocks by a moment; an edit is later than that. */
function isEdited(post: FeedPost): boolean {
  const { createdAt, updatedAt } = post.metadata;
  return Date.parse(updatedAt) - Date.parse(createdAt) > 1_000;
}
