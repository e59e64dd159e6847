import { useRef, useState, type FormEvent, type KeyboardEvent } from 'react';
import { ApiError, explain } from '../../api/ApiError';
import { editPost, type PostDraft } from '../../api/posts';
import { useApp } from '../../app/AppContext';
import { Avatar } from '../../app/Avatar';
import { Dialog } from '../../app/Dialog';
import { CloseIcon } from '../../app/icons';
import { useVisit } from '../../app/VisitContext';
import type { Composition } from './Composing';
import './composer.css';

const mostChars = 10_000;
const warnFrom = 500;

const words = {
  new: { label: 'New post', action: 'Post' },
  again: { label: 'Edit and send again', action: 'Send again' },
  edit: { label: 'Edit post', action: 'Save' },
};

export function ComposerDialog({ composition }: { composition: Composition }) {
  const { router, toasts } = useApp();
  const { user, composing, outbox, apply } = useVisit();
  const [draft, setDraft] = useState<PostDraft>(composition.draft);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const left = mostChars - draft.content.length;
  const maySend = draft.content.trim() !== '' && left >= 0 && !busy;

  const change = (part: Partial<PostDraft>) => {
    const next = { ...draft, ...part };
    setDraft(next);
    composing.keep(next);
  };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!maySend) return;
    if (composition.kind === 'edit') {
      await save(composition.post.id);
      return;
    }
    composing.end(true);
    if (composition.kind === 'new') outbox.send(draft);
    else outbox.sendChanged(composition.clientId, draft);
    // One wants to see what one has just written.
    if (!['/', '/feed'].includes(router.place.get().path)) router.go('/feed');
    else window.scrollTo({ top: 0, behavior: 'instant' });
  };

  const save = async (postId: string) => {
    setBusy(true);
    setError(null);
    try {
      const post = await editPost(postId, draft);
      apply({ type: 'post_updated', post, version: post.metadata.version });
      toasts.show('success', 'Post updated.');
      composing.end(true);
    } catch (refusal) {
      const fields = refusal instanceof ApiError ? Object.values(refusal.fields).flat() : [];
      setError(fields.length > 0 ? fields.join(' ') : explain(refusal));
      setBusy(false);
    }
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.current?.requestSubmit();
    }
  };

  return (
    <Dialog label={words[composition.kind].label} className="composer" onDismiss={() => composing.end(false)}>
      <form ref={form} onSubmit={(event) => void submit(event)} onKeyDown={onKeyDown}>
        <header className="composer-header">
          <button type="button" className="icon-button" aria-label="Close" onClick={() => composing.end(false)}>
            <CloseIcon />
          </button>
          <h2>{words[composition.kind].label}</h2>
          <button type="submit" className="button primary" data-testid="submit-post" disabled={!maySend}>
            {busy ? 'Saving…' : words[composition.kind].action}
          </button>
        </header>
        <div className="composer-body">
          {user !== null && <Avatar person={user} />}
          <div className="composer-fields">
            <input
              className="composer-title"
              data-testid="post-title"
              placeholder="Title (optional)"
              aria-label="Title, optional"
              maxLength={200}
              dir="auto"
              value={draft.title}
              onChange={(event) => change({ title: event.target.value })}
            />
            <textarea
              className="composer-text"
              data-testid="post-content"
              placeholder="What’s the news?"
              aria-label="Post"
              rows={5}
              dir="auto"
              data-autofocus
              value={draft.content}
              onChange={(event) => change({ content: event.target.value })}
            />
          </div>
        </div>
        <footer className="composer-footer">
          <span className="composer-hint">
            <kbd>Ctrl</kbd> <kbd>Enter</kbd> sends
          </span>
          <span className={left < 0 ? 'composer-count over' : 'composer-count'} role={left < warnFrom ? 'status' : undefined}>
            {left < warnFrom ? `${left.toLocaleString()} left` : 'Everyone can see this'}
          </span>
        </footer>
        <div role="alert">{error !== null && <p className="form-error">{error}</p>}</div>
      </form>
    </Dialog>
  );
}
