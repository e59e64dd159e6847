import { useState } from 'react';
import { KeyboardIcon } from '../../app/icons';
import { KeysDialog } from './KeysDialog';

export function KeysButton() {
  const [shown, setShown] = useState(false);
  return (
    <>
      <button type="button" className="rail-keys" onClick={() => setShown(true)}>
        <KeyboardIcon />
        Keyboard shortcuts
      </button>
      {shown && <KeysDialog close={() => setShown(false)} />}
    </>
  );
}
