import { useEffect, useState } from 'react';
import { useApp } from '../../app/AppContext';
import { Link } from '../../app/Link';
import { PageHeader } from '../../app/PageHeader';
import { useObservable } from '../../app/useObservable';
import { useTitle } from '../../app/useTitle';
import { useVisit } from '../../app/VisitContext';
import { ScheduledPosts } from './ScheduledPosts';
import { ScheduledRow } from './ScheduledRow';
import { ScheduleForm } from './ScheduleForm';
import './schedule.css';

/** What the reader has planned, and how it goes. */
export function SchedulePage() {
  const { user, client } = useVisit();
  const { toasts } = useApp();
  const [scheduled] = useState(() => new ScheduledPosts());
  const { posts, error } = useObservable(scheduled.state);
  useTitle('Schedule · Tidings');

  useEffect(() => {
    if (user === null) return undefined;
    void scheduled.begin(client, user.id);
    return () => scheduled.end();
  }, [scheduled, client, user]);

  const done = (note: string | undefined) => {
    toasts.show('success', note ?? 'Scheduled.');
    void scheduled.load();
  };

  if (user === null) {
    return (
      <>
        <PageHeader title="Schedule" />
        <div className="empty">
          <h2>Sign in to schedule posts</h2>
          <p>
            <Link to="/signin">Sign in</Link>
          </p>
        </div>
      </>
    );
  }

  return (
    <>
      <PageHeader title="Schedule" />
      <ScheduleForm done={done} />
      {error !== null && (
        <p className="form-error" role="alert">
          {error}
        </p>
      )}
      {posts !== null && posts.length > 0 && (
        <ul className="scheduled-list" aria-label="Scheduled posts">
          {posts.map((post) => (
            <ScheduledRow key={post.id} post={post} />
          ))}
        </ul>
      )}
      {posts !== null && posts.length === 0 && (
        <div className="empty">
          <h2>Nothing is scheduled</h2>
          <p>What you schedule appears here, and shows live how it goes.</p>
        </div>
      )}
    </>
  );
}
