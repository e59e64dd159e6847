import { SignInPage } from '../features/accounts/SignInPage';
import { SignUpPage } from '../features/accounts/SignUpPage';
import { PeoplePage } from '../features/follows/PeoplePage';
import { CreatorPage } from '../features/follows/CreatorPage';
import { FeedPage } from '../features/posts/FeedPage';
import { SchedulePage } from '../features/schedule/SchedulePage';
import { AppContext, useApp, type AppParts } from './AppContext';
import { Mark } from './icons';
import { NotFoundPage } from './NotFoundPage';
import { Shell } from './Shell';
import { ToastRegion } from './ToastRegion';
import { useObservable } from './useObservable';
import { VisitContext } from './VisitContext';

export function App({ parts }: { parts: AppParts }) {
  return (
    <AppContext value={parts}>
      <Pages />
      <ToastRegion toasts={parts.toasts} />
    </AppContext>
  );
}

function Pages() {
  const { session } = useApp();
  const state = useObservable(session.state);
  if (state.phase === 'loading') {
    return (
      <div className="splash" role="status">
        <Mark />
        <span className="visually-hidden">Loading Tidings</span>
      </div>
    );
  }
  if (state.phase === 'unreachable') {
    return (
      <main className="splash">
        <Mark />
        <h1>The server does not answer</h1>
        <p>Check your connection. Nothing of yours is lost.</p>
        <button type="button" className="button primary" onClick={() => void session.load()}>
          Try again
        </button>
      </main>
    );
  }
  return (
    // The key: nothing that belonged to one reader is drawn for the next.
    <VisitContext value={state.visit} key={state.visit.user?.id ?? 'nobody'}>
      <Routes />
    </VisitContext>
  );
}

function Routes() {
  const { router } = useApp();
  const { path } = useObservable(router.place);
  if (path === '/signin') return <SignInPage />;
  if (path === '/signup') return <SignUpPage />;
  return <Shell>{pageAt(path)}</Shell>;
}

function pageAt(path: string) {
  if (path === '/' || path === '/feed') return <FeedPage />;
  if (path === '/schedule') return <SchedulePage />;
  if (path === '/people') return <PeoplePage />;
  const creator = /^\/people\/([^/]+)$/.exec(path)?.[1];
  return creator === undefined ? <NotFoundPage /> : <CreatorPage key={creator} creatorId={decodeURIComponent(creator)} />;
}
