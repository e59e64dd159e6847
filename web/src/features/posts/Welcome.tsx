import { Link } from '../../app/Link';

/** For who is not signed in. */
export function Welcome() {
  return (
    <section className="welcome" aria-labelledby="welcome-title">
      <h2 id="welcome-title">News travels fast here.</h2>
      <p>Somebody posts, and everyone who follows them sees it at once. Sign in to write, to like, and to watch posts arrive live.</p>
      <div className="welcome-actions">
        <Link to="/signup" className="button primary">
          Create account
        </Link>
        <Link to="/signin" className="button">
          Sign in
        </Link>
      </div>
    </section>
  );
}
