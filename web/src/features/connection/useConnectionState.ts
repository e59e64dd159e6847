import type { ConnectionState, TidingsClient } from '@tidings/client';
import { useCallback, useSyncExternalStore } from 'react';

const idle: ConnectionState = { status: 'idle' };

export function useConnectionState(client: TidingsClient | null): ConnectionState {
  const subscribe = useCallback((listener: () => void) => client?.onState(listener) ?? (() => {}), [client]);
  return useSyncExternalStore(subscribe, () => client?.state ?? idle);
}
