import type { FeedPost } from '@tidings/client';
import { RetryIcon, WarningIcon } from '../../app/icons';
import { useVisit } from '../../app/VisitContext';

/** An own post that the server did not take: nothing typed is lost, and sending again is always safe. */
export function FailedPost({ post }: { post: FeedPost }) {
  const { outbox, composing } = useVisit();
  const { clientId } = post;
  if (clientId === undefined) return null;

  const edit = () => {
    const draft = outbox.draftOf(clientId);
    if (draft !== null) composing.beginAgain(clientId, draft);
  };

  return (
    <div className="post-failed">
      <p>
        <WarningIcon />
        <span>{post.failure ?? 'This post could not be sent.'}</span>
      </p>
      <div className="post-failed-actions">
        <button type="button" className="button small primary" onClick={() => outbox.retry(clientId)}>
          <RetryIcon />
          Retry
        </button>
        <button type="button" className="button small" onClick={edit}>
          Edit
        </button>
        <button type="button" className="button small quiet" onClick={() => outbox.discard(clientId)}>
          Discard
        </button>
      </div>
    </div>
  );
}
