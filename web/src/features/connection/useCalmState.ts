import type { ConnectionState } from '@tidings/client';
import { useEffect, useRef, useState } from 'react';

const grace = 2_000;
const passing: ReadonlySet<ConnectionState['status']> = new Set(['waiting', 'connecting', 'offline']);

export interface CalmState {
  state: ConnectionState;
  /** It has been connected before, so what comes now is a reconnection. */
  wasConnected: boolean;
}

/** What is worth showing: a connection that is lost for less than two seconds is not. Everything else is shown at once. */
export function useCalmState(state: ConnectionState): CalmState {
  const [shown, setShown] = useState<CalmState>({ state, wasConnected: state.status === 'connected' });
  const lostAt = useRef<number | null>(null);
  const shownStatus = shown.state.status;

  useEffect(() => {
    const show = () => setShown((before) => ({ state, wasConnected: before.wasConnected || state.status === 'connected' }));
    if (!passing.has(state.status) || shownStatus !== 'connected') {
      lostAt.current = null;
      show();
      return;
    }
    lostAt.current ??= performance.now();
    const timer = setTimeout(show, lostAt.current + grace - performance.now());
    return () => clearTimeout(timer);
  }, [state, shownStatus]);

  return shown;
}
