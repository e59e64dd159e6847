import { AccountMenu } from '../features/accounts/AccountMenu';
import { useApp } from './AppContext';
import { CalendarIcon, HomeIcon, Mark, PenIcon, PeopleIcon, SignInIcon } from './icons';
import { Link } from './Link';
import { ThemeButton } from './ThemeButton';
import { useObservable } from './useObservable';
import { useVisit } from './VisitContext';

/** A rail on wide screens, a bar at the bottom on narrow ones. */
export function Navigation() {
  const { router } = useApp();
  const { user, composing } = useVisit();
  const { path } = useObservable(router.place);
  const here = (to: string) => (path === to || (to === '/feed' && path === '/') ? 'page' : undefined);

  return (
    <nav className="navigation" aria-label="Main">
      <Link to="/feed" className="brand" aria-label="Tidings, home">
        <Mark />
        <span className="wordmark">Tidings</span>
      </Link>
      <Link to="/feed" className="nav-item" aria-current={here('/feed')}>
        <HomeIcon />
        <span className="nav-label">Feed</span>
      </Link>
      <Link to="/people" className="nav-item" aria-current={here('/people')}>
        <PeopleIcon />
        <span className="nav-label">People</span>
      </Link>
      {user !== null && (
        <Link to="/schedule" className="nav-item" aria-current={here('/schedule')}>
          <CalendarIcon />
          <span className="nav-label">Schedule</span>
        </Link>
      )}
      {user === null ? (
        <Link to="/signin" className="nav-create button primary">
          <SignInIcon />
          <span className="nav-label">Sign in</span>
        </Link>
      ) : (
        <button
          type="button"
          className="nav-create button primary"
          data-testid="create-post-button"
          aria-label="New post"
          aria-haspopup="dialog"
          onClick={() => composing.begin()}
        >
          <PenIcon />
          <span className="nav-label">New post</span>
        </button>
      )}
      <div className="nav-space" />
      <ThemeButton />
      {user !== null && <AccountMenu user={user} />}
    </nav>
  );
}
