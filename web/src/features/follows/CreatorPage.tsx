import { FeedStore, type Subscription } from '@tidings/client';
import { useEffect, useRef, useState } from 'react';
import { explain } from '../../api/ApiError';
import { readCreator, type Creator } from '../../api/creators';
import { listPosts } from '../../api/posts';
import { Avatar } from '../../app/Avatar';
import { PageHeader } from '../../app/PageHeader';
import { useTitle } from '../../app/useTitle';
import { useVisit } from '../../app/VisitContext';
import { countOf } from '../../app/words';
import { NewPostsButton } from '../posts/NewPostsButton';
import { PostList } from '../posts/PostList';
import { useFeedSnapshot } from '../posts/useFeedSnapshot';
import { useLiveReading } from '../posts/useLiveReading';
import { FollowButton } from './FollowButton';
import './follows.css';

/** A creator and the newest of their posts. */
export function CreatorPage({ creatorId }: { creatorId: string }) {
  const { user, client, follows, likes, watchStore } = useVisit();
  const [creator, setCreator] = useState<Creator | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [store] = useState(() => new FeedStore({ ownUserId: user?.id ?? null, maxPosts: 100 }));
  const snapshot = useFeedSnapshot(store);
  const list = useRef<HTMLDivElement>(null);
  const name = creator === null ? '' : creator.fullName || creator.nickname;
  useTitle(name === '' ? 'Tidings' : `${name} · Tidings`);

  useEffect(() => watchStore(store), [watchStore, store]);
  useLiveReading(store, list);

  useEffect(() => {
    const abandoned = new AbortController();
    let channel: Subscription | undefined;
    Promise.all([readCreator(creatorId, abandoned.signal), listPosts({ creatorId }, abandoned.signal)])
      .then(([found, page]) => {
        follows.learn([found]);
        likes.learn(page.posts.map((post) => post.id), page.liked);
        store.setPage(page.posts, { replace: true });
        setCreator(found);
        const since = page.positions?.[`creator:${found.id}`];
        channel = client?.subscribe(`creator:${found.id}`, (event) => store.apply(event), since === undefined ? {} : { since });
      })
      .catch((failure: unknown) => {
        if (!abandoned.signal.aborted) setError(explain(failure));
      });
    return () => {
      abandoned.abort();
      channel?.unsubscribe();
    };
  }, [creatorId, client, follows, likes, store]);

  const showNew = () => {
    store.showPending();
    window.scrollTo({ top: 0, behavior: 'instant' });
  };

  return (
    <>
      <PageHeader title={name || 'Creator'} />
      <NewPostsButton snapshot={snapshot} untold={0} onShow={showNew} />
      {error !== null && (
        <div className="empty" role="alert">
          <h2>This page could not be loaded</h2>
          <p>{error}</p>
        </div>
      )}
      {creator !== null && (
        <section className="card creator-card" aria-label={name}>
          <Avatar person={creator} size="large" />
          <div className="creator-words">
            <h2>{name}</h2>
            <p className="quiet">@{creator.nickname}</p>
            {creator.bio !== undefined && creator.bio !== '' && <p>{creator.bio}</p>}
            {creator.followersCount !== undefined && <p className="quiet">{countOf(creator.followersCount, 'follower')}</p>}
          </div>
          <FollowButton creator={creator} />
        </section>
      )}
      <PostList ref={list} label={`Posts of ${name}`} posts={snapshot.posts} busy={creator === null && error === null} />
      {creator !== null && snapshot.posts.length === 0 && (
        <div className="empty">
          <h2>No posts yet</h2>
        </div>
      )}
    </>
  );
}
