import { useEffect, useRef, type RefObject } from 'react';
import { moveInFeed } from './moveInFeed';
import { areKeysOn } from './keyChoice';

interface Actions {
  write: () => void;
  showNew: () => void;
  help: () => void;
}

/** Page Up and Page Down within the feed; and, unless switched off, j, k, l, n, . and ? anywhere on the page. */
export function useFeedKeys(feed: RefObject<HTMLElement | null>, actions: Actions): void {
  const latest = useRef(actions);
  useEffect(() => {
    latest.current = actions;
  });

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const list = feed.current;
      if (list === null || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTaken(event.target)) return;
      if (act(event.key, list, latest.current)) event.preventDefault();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [feed]);
}

function act(key: string, list: HTMLElement, actions: Actions): boolean {
  const inFeed = list.contains(document.activeElement);
  if (key === 'PageDown' || key === 'PageUp') return inFeed && moveInFeed(list, key === 'PageDown' ? 1 : -1);
  if (!areKeysOn()) return false;
  switch (key) {
    case 'j':
      return moveInFeed(list, 1);
    case 'k':
      return moveInFeed(list, -1);
    case 'l':
      return press(document.activeElement?.closest('article')?.querySelector<HTMLButtonElement>('.like-button'));
    case 'n':
      actions.write();
      return true;
    case '.':
      actions.showNew();
      return true;
    case '?':
      actions.help();
      return true;
    default:
      return false;
  }
}

function press(button: HTMLButtonElement | null | undefined): boolean {
  button?.click();
  return button !== null && button !== undefined;
}

/** Keys belong to what is being typed into, and to an open dialog. */
function isTaken(target: EventTarget | null): boolean {
  if (document.querySelector('dialog[open]') !== null) return true;
  return target instanceof HTMLElement && (target.isContentEditable || target.closest('input, textarea, select, [role="menu"]') !== null);
}
