import type { ReactNode } from 'react';
import { AboutCard } from '../features/accounts/AboutCard';
import { PeopleRail } from '../features/follows/PeopleRail';
import { KeysButton } from '../features/posts/KeysButton';
import { Composer } from '../features/posts/Composer';
import { useApp } from './AppContext';
import { Navigation } from './Navigation';
import { useObservable } from './useObservable';
import { useVisit } from './VisitContext';
import './shell.css';

export function Shell({ children }: { children: ReactNode }) {
  const { router } = useApp();
  const { user } = useVisit();
  const { path } = useObservable(router.place);
  return (
    <div className="shell">
      <a className="skip-link" href="#content">
        Skip to the content
      </a>
      <Navigation />
      <main id="content" className="content" tabIndex={-1}>
        {children}
      </main>
      <aside className="aside" aria-label="Beside the page">
        {user === null && <AboutCard />}
        {path !== '/people' && <PeopleRail />}
        <KeysButton />
      </aside>
      {user !== null && <Composer />}
    </div>
  );
}
