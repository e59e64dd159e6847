import { useSyncExternalStore } from 'react';

/** Whether the rail is shown; the same width as in shell.css. Where it is not, its list is not asked for either. */
const wide = '(min-width: 70rem)';

export function useWide(): boolean {
  return useSyncExternalStore(subscribe, () => window.matchMedia(wide).matches);
}

function subscribe(listener: () => void): () => void {
  const query = window.matchMedia(wide);
  query.addEventListener('change', listener);
  return () => query.removeEventListener('change', listener);
}
