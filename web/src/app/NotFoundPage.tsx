import { Link } from './Link';
import { PageHeader } from './PageHeader';

export function NotFoundPage() {
  return (
    <>
      <PageHeader title="Nothing here" />
      <div className="empty">
        <h2>This page does not exist</h2>
        <p>The address may be mistyped, or what was here has been removed.</p>
        <Link to="/feed" className="button">
          Go to the feed
        </Link>
      </div>
    </>
  );
}
