import { useCallback, useEffect, useRef, useState } from 'react';
import type { FeedScope } from '../../api/posts';
import { useApp } from '../../app/AppContext';
import { PageHeader } from '../../app/PageHeader';
import { useObservable } from '../../app/useObservable';
import { useVisit } from '../../app/VisitContext';
import { FeedAnnouncer } from './FeedAnnouncer';
import { FeedEmpty, FeedFailed, FeedLoading, FeedNotice } from './FeedNotes';
import { FeedTabs } from './FeedTabs';
import { KeysDialog } from './KeysDialog';
import { focusArticle } from './moveInFeed';
import { NewPostsButton } from './NewPostsButton';
import { OlderPosts } from './OlderPosts';
import { PostList } from './PostList';
import { Prompt } from './Prompt';
import { useFeedKeys } from './useFeedKeys';
import { useFeedSnapshot } from './useFeedSnapshot';
import { useLiveReading } from './useLiveReading';
import { useTitle } from '../../app/useTitle';
import { Welcome } from './Welcome';
import './feed.css';

export function FeedPage() {
  const { router } = useApp();
  const { user, feed, composing } = useVisit();
  const { search } = useObservable(router.place);
  const scope: FeedScope = user === null || search.get('tab') === 'everyone' ? 'all' : 'following';
  const current = feed(scope);
  const state = useObservable(current.state);
  const snapshot = useFeedSnapshot(current.store);
  const list = useRef<HTMLDivElement>(null);
  const [keysShown, setKeysShown] = useState(false);
  const waiting = snapshot.pendingCount + state.untold;

  useEffect(() => {
    current.start();
    return () => current.leave();
  }, [current]);
  useLiveReading(current, list);
  useTitle(waiting > 0 ? `(${waiting}) Tidings` : 'Tidings');

  const showNew = useCallback((byKeyboard: boolean) => {
    current.showNew();
    window.scrollTo({ top: 0, behavior: 'instant' });
    if (!byKeyboard) return;
    requestAnimationFrame(() => {
      const first = list.current?.querySelector<HTMLElement>('article');
      if (first) focusArticle(first);
    });
  }, [current]);

  useFeedKeys(list, {
    write: () => (user === null ? router.go('/signin') : composing.begin()),
    showNew: () => showNew(true),
    help: () => setKeysShown(true),
  });

  const isEmpty = snapshot.posts.length === 0;
  return (
    <>
      <PageHeader title={scope === 'all' ? 'Everyone' : 'Following'}>
        {user === null ? <p className="page-title">Everyone</p> : <FeedTabs scope={scope} />}
      </PageHeader>
      <NewPostsButton snapshot={snapshot} untold={state.untold} onShow={showNew} />
      {user === null ? <Welcome /> : <Prompt user={user} />}
      <FeedNotice feed={current} />
      {state.phase === 'failed' && <FeedFailed feed={current} />}
      {state.phase === 'loading' && isEmpty && <FeedLoading />}
      <PostList
        ref={list}
        label={scope === 'all' ? 'Posts of everyone' : 'Posts of people you follow'}
        posts={snapshot.posts}
        busy={state.phase === 'loading' || state.loadingOlder}
      />
      {state.phase === 'ready' && isEmpty && waiting === 0 && <FeedEmpty scope={scope} />}
      {state.phase === 'ready' && !isEmpty && <OlderPosts feed={current} isFull={snapshot.isFull} />}
      <FeedAnnouncer key={scope} snapshot={snapshot} readerId={user?.id ?? null} />
      {keysShown && <KeysDialog close={() => setKeysShown(false)} />}
    </>
  );
}
