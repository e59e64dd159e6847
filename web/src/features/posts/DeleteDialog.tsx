import type { Post } from '@tidings/client';
import { useState } from 'react';
import { ApiError, explain } from '../../api/ApiError';
import { deletePost } from '../../api/posts';
import { useApp } from '../../app/AppContext';
import { Dialog } from '../../app/Dialog';
import { useVisit } from '../../app/VisitContext';

export function DeleteDialog({ post, close }: { post: Post; close: () => void }) {
  const { toasts } = useApp();
  const { apply } = useVisit();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);

  const remove = async () => {
    setBusy(true);
    try {
      await deletePost(post.id);
    } catch (refusal) {
      // Gone already, in another tab perhaps: that is what was wanted.
      if (!(refusal instanceof ApiError && refusal.status === 404)) {
        setError(explain(refusal));
        setBusy(false);
        return;
      }
    }
    apply({ type: 'post_deleted', postId: post.id, version: post.metadata.version + 1 });
    toasts.show('neutral', 'Post deleted.');
    close();
  };

  return (
    <Dialog label="Delete this post?" className="narrow" onDismiss={close}>
      <h2>Delete this post?</h2>
      <p>It disappears from everyone’s feed at once. This cannot be undone.</p>
      <div role="alert">{error !== null && <p className="form-error">{error}</p>}</div>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={close} data-autofocus>
          Keep it
        </button>
        <button type="button" className="button danger" data-testid="confirm-delete" disabled={busy} onClick={() => void remove()}>
          {busy ? 'Deleting…' : 'Delete'}
        </button>
      </div>
    </Dialog>
  );
}
