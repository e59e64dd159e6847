import { useState } from 'react';
import { explain } from '../../api/ApiError';
import { cancelSchedule, resolveTarget, retryTarget, type Target } from '../../api/schedule';
import { useApp } from '../../app/AppContext';
import { RetryIcon } from '../../app/icons';
import { safeLink } from '../../app/safeUrl';
import type { ScheduledPost } from './ScheduledPosts';
import { moodOf, platformName, stateName } from './words';

/** One post and where it goes, each place with its state and what can be done about it. */
export function ScheduledRow({ post }: { post: ScheduledPost }) {
  const { toasts } = useApp();
  const [busy, setBusy] = useState(false);

  const act = async (action: () => Promise<unknown>, what: string) => {
    setBusy(true);
    try {
      await action();
    } catch (failure) {
      toasts.show('error', `${what} failed. ${explain(failure)}`);
    } finally {
      setBusy(false);
    }
  };

  return (
    <li className="card scheduled" data-testid={`scheduled-${post.id}`} data-status={post.status}>
      <header>
        <State state={post.status} />
        {post.schedule !== null && (
          <time className="quiet" dateTime={post.schedule.scheduledAt}>
            {post.schedule.localTime.replace('T', ' ')} · {post.schedule.timeZone.replaceAll('_', ' ')}
          </time>
        )}
      </header>
      <p className="scheduled-text" dir="auto">
        {post.text}
      </p>
      <ul className="targets">
        {post.targets.map((target) => (
          <li key={target.id} data-testid={`target-${target.platform}`} data-status={target.status}>
            <div className="target-line">
              <Place target={target} />
              <State state={target.status} />
            </div>
            {target.error !== undefined && target.status !== 'succeeded' && <p className="target-error">{target.error}</p>}
            {(target.status === 'failed' || target.status === 'skipped' || target.status === 'retry_wait') && (
              <button
                type="button"
                className="button small"
                data-testid="retry-target"
                disabled={busy}
                onClick={() => void act(() => retryTarget(post.id, target.id), 'Trying again')}
              >
                <RetryIcon />
                {target.status === 'retry_wait' ? 'Try now' : 'Retry this one'}
              </button>
            )}
            {target.status === 'unknown' && (
              <div className="target-actions">
                <button type="button" className="button small" disabled={busy} onClick={() => void act(() => resolveTarget(post.id, target.id, 'published'), 'Marking it')}>
                  It is there
                </button>
                <button type="button" className="button small" disabled={busy} onClick={() => void act(() => resolveTarget(post.id, target.id, 'again'), 'Posting again')}>
                  Post it again
                </button>
              </div>
            )}
          </li>
        ))}
      </ul>
      {post.status === 'scheduled' && (
        <button type="button" className="button small quiet" disabled={busy} onClick={() => void act(() => cancelSchedule(post.id), 'Canceling')}>
          Cancel
        </button>
      )}
    </li>
  );
}

function Place({ target }: { target: Target }) {
  const url = target.url === undefined ? null : safeLink(target.url);
  const name = target.handle === undefined ? platformName(target.platform) : `${platformName(target.platform)} · ${target.handle}`;
  return url === null ? (
    <span>{name}</span>
  ) : (
    <a href={url} rel="noreferrer">
      {name}
    </a>
  );
}

function State({ state }: { state: string }) {
  return <span className={`state ${moodOf(state)}`}>{stateName(state)}</span>;
}
