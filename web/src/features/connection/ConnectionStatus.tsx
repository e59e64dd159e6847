import type { ConnectionState } from '@tidings/client';
import { useVisit } from '../../app/VisitContext';
import { useCalmState, type CalmState } from './useCalmState';
import { useConnectionState } from './useConnectionState';
import './connection.css';

/** `data-status` is the state as it is; what is read and seen waits two seconds before it speaks of a lost connection. */
export function ConnectionStatus() {
  const { client } = useVisit();
  const state = useConnectionState(client);
  const calm = useCalmState(state);
  const mayRetry = client !== null && (calm.state.status === 'waiting' || calm.state.status === 'closed');
  return (
    <div className="connection">
      <span
        className="connection-status"
        data-testid="connection-status"
        data-status={state.status}
        data-shown={calm.state.status}
        role="status"
        title={explainState(calm.state)}
      >
        <span className="connection-dot" aria-hidden="true" />
        <span className="visually-hidden">Connection: </span>
        {wordsFor(calm)}
      </span>
      {mayRetry && (
        <button type="button" className="link-button" onClick={() => client.connect()}>
          Retry
        </button>
      )}
    </div>
  );
}

function wordsFor({ state, wasConnected }: CalmState): string {
  switch (state.status) {
    case 'connected':
      return 'Live';
    case 'connecting':
      return wasConnected || state.attempt > 1 ? 'Reconnecting…' : 'Connecting…';
    case 'waiting':
      return 'Reconnecting…';
    case 'offline':
      return 'Offline';
    case 'closed':
      return 'Disconnected';
    case 'idle':
      return 'Not live';
  }
}

function explainState(state: ConnectionState): string {
  switch (state.status) {
    case 'connected':
      return `New posts arrive by themselves (${state.transport}).`;
    case 'connecting':
      return 'Connecting to the server.';
    case 'waiting':
      return 'The live connection is lost. Everything still works; new posts show when you reload.';
    case 'offline':
      return 'This device has no network.';
    case 'closed':
      return `The live connection was closed (${state.code}${state.reason === '' ? '' : `, ${state.reason}`}). Everything still works; new posts show when you reload.`;
    case 'idle':
      return 'Sign in to see posts arrive live.';
  }
}
