import { useState, type FormEvent, type ReactNode } from 'react';
import { ApiError, explain } from '../../api/ApiError';
import type { User } from '../../api/accounts';
import { useApp } from '../../app/AppContext';
import { Mark } from '../../app/icons';
import { Link } from '../../app/Link';
import './accounts.css';

interface Props {
  title: string;
  lead: string;
  action: string;
  /** Sends the form; what it returns has signed in. */
  submit: (form: FormData) => Promise<User>;
  children: (errors: Readonly<Record<string, readonly string[]>>) => ReactNode;
  footer: ReactNode;
}

/** What signing in and signing up have in common: one form, refusals beside their fields, the rest above the button. */
export function AccountForm({ title, lead, action, submit, children, footer }: Props) {
  const { session, router } = useApp();
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const fields = error instanceof ApiError ? error.fields : {};

  const send = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    setBusy(true);
    setError(null);
    try {
      session.enter(await submit(new FormData(form)));
      router.go('/feed', { replace: true });
    } catch (refusal) {
      setError(refusal);
      setBusy(false);
      requestAnimationFrame(() => form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
    }
  };

  return (
    <main className="account-page">
      <Link to="/feed" className="brand" aria-label="Tidings, home">
        <Mark />
        <span className="wordmark">Tidings</span>
      </Link>
      <form className="account-card" onSubmit={(event) => void send(event)}>
        <h1>{title}</h1>
        <p className="account-lead">{lead}</p>
        {children(fields)}
        <div role="alert">
          {error !== null && Object.keys(fields).length === 0 && <p className="form-error">{explain(error)}</p>}
        </div>
        <button type="submit" className="button primary wide" disabled={busy}>
          {busy ? 'One moment…' : action}
        </button>
      </form>
      <p className="account-footer">{footer}</p>
    </main>
  );
}
