import { createContext, useContext } from 'react';
import type { Session } from '../features/accounts/Session';
import type { Router } from './Router';
import type { Theme } from './Theme';
import type { Toasts } from './Toasts';

/** What lives as long as the page, whoever is signed in. */
export interface AppParts {
  router: Router;
  theme: Theme;
  toasts: Toasts;
  session: Session;
}

export const AppContext = createContext<AppParts | null>(null);

export function useApp(): AppParts {
  const parts = useContext(AppContext);
  if (parts === null) throw new Error('useApp needs an AppContext above it.');
  return parts;
}
