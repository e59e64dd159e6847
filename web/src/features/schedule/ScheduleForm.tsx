import { useEffect, useState, type FormEvent } from 'react';
import { ApiError, explain } from '../../api/ApiError';
import { listAccounts, schedulePost, type ConnectedAccount } from '../../api/schedule';
import { randomId } from '../../app/randomId';
import { Field } from '../accounts/Field';
import { platformName } from './words';

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** When and where: the time is that of the zone beside it, whatever the server's clock shows. */
export function ScheduleForm({ done }: { done: (note: string | undefined) => void }) {
  const [content, setContent] = useState('');
  const [at, setAt] = useState('');
  const [accounts, setAccounts] = useState<ConnectedAccount[]>([]);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [key, setKey] = useState(randomId);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const [fields, setFields] = useState<Readonly<Record<string, readonly string[]>>>({});

  useEffect(() => {
    const abandoned = new AbortController();
    // Without them a post goes to this server's feed: nothing to tell.
    listAccounts(abandoned.signal).then(setAccounts).catch(() => undefined);
    return () => abandoned.abort();
  }, []);

  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
    setKey(randomId());
  };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    setFields({});
    try {
      const scheduled = await schedulePost({ content: content.trim(), scheduledAt: at, timeZone: zone, accountIds: [...chosen] }, key);
      setContent('');
      setAt('');
      setKey(randomId());
      done(scheduled.schedule?.note);
    } catch (refusal) {
      if (refusal instanceof ApiError) setFields(refusal.fields);
      setError(explain(refusal));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form className="card schedule-form" onSubmit={(event) => void submit(event)}>
      <label className="visually-hidden" htmlFor="schedule-content">
        Post
      </label>
      <textarea
        id="schedule-content"
        data-testid="schedule-content"
        placeholder="What will be the news?"
        rows={3}
        dir="auto"
        required
        value={content}
        onChange={(event) => {
          setContent(event.target.value);
          setKey(randomId());
        }}
      />
      <Field
        label="When"
        type="datetime-local"
        step={1}
        required
        data-testid="schedule-at"
        hint={`The time in ${zone.replaceAll('_', ' ')}.`}
        errors={fields['scheduledAt']}
        value={at}
        onChange={(event) => {
          setAt(event.target.value);
          setKey(randomId());
        }}
      />
      {accounts.length > 0 && (
        <fieldset className="schedule-accounts">
          <legend>Also on</legend>
          {accounts.map((account) => (
            <label key={account.id}>
              <input type="checkbox" checked={chosen.has(account.id)} disabled={account.status !== 'connected'} onChange={() => toggle(account.id)} />
              <span>
                {platformName(account.platform)} <span className="quiet">{account.handle}</span>
                {account.status !== 'connected' && <span className="quiet"> · connect it again</span>}
              </span>
            </label>
          ))}
        </fieldset>
      )}
      <div role="alert">{error !== null && <p className="form-error">{error}</p>}</div>
      <div className="dialog-actions">
        <button type="submit" className="button primary" data-testid="schedule-submit" disabled={busy || content.trim() === '' || at === ''}>
          {busy ? 'Scheduling…' : 'Schedule'}
        </button>
      </div>
    </form>
  );
}
