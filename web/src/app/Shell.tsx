import type { ReactNode } from 'react';
import { PeopleRail } from '../features/follows/PeopleRail';
import { Composer } from '../features/posts/Composer';
import { Navigation } from './Navigation';
import { useVisit } from './VisitContext';
import './shell.css';

export function Shell({ children }: { children: ReactNode }) {
  const { user } = useVisit();
  return (
    <div className="shell">
      <a className="skip-link" href="#content">
        Skip to the content
      </a>
      <Navigation />
      <main id="content" className="content" tabIndex={-1}>
        {children}
      </main>
      <aside className="aside">{user !== null && <PeopleRail />}</aside>
      {user !== null && <Composer />}
    </div>
  );
}
