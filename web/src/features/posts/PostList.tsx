import type { FeedPost } from '@tidings/client';
import type { Ref } from 'react';
import { PostCard } from './PostCard';
import './posts.css';

interface Props {
  label: string;
  posts: readonly FeedPost[];
  busy: boolean;
  ref?: Ref<HTMLDivElement>;
}

/** ARIA's feed: articles of which there may always be more, `useFeedKeys` moves between them. Without any it may not be called one. */
export function PostList({ label, posts, busy, ref }: Props) {
  return (
    <div ref={ref} className="post-list" role={posts.length === 0 ? 'group' : 'feed'} aria-label={label} aria-busy={busy} data-testid="post-list">
      {posts.map((post, index) => (
        <PostCard key={post.clientId ?? post.id} post={post} place={index + 1} />
      ))}
    </div>
  );
}
