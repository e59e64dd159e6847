import { Dialog } from '../../app/Dialog';
import { useObservable } from '../../app/useObservable';
import { chooseKeys, keyChoice } from './keyChoice';

const keys: readonly [string, string][] = [
  ['j', 'Next post'],
  ['k', 'Previous post'],
  ['l', 'Like the focused post'],
  ['n', 'Write a new post'],
  ['.', 'Show new posts'],
  ['?', 'This list'],
];

export function KeysDialog({ close }: { close: () => void }) {
  const on = useObservable(keyChoice);
  return (
    <Dialog label="Keyboard shortcuts" className="narrow" onDismiss={close}>
      <h2>Keyboard shortcuts</h2>
      <dl className="keys">
        {keys.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p className="quiet">
        In the feed, <kbd>Page Down</kbd> and <kbd>Page Up</kbd> always move between posts.
      </p>
      <label className="switch">
        <input type="checkbox" checked={on} onChange={(event) => chooseKeys(event.target.checked)} />
        Single-letter shortcuts are on
      </label>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={close} data-autofocus>
          Close
        </button>
      </div>
    </Dialog>
  );
}
