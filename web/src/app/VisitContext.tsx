import { createContext, useContext } from 'react';
import type { Visit } from './Visit';

export const VisitContext = createContext<Visit | null>(null);

export function useVisit(): Visit {
  const visit = useContext(VisitContext);
  if (visit === null) throw new Error('useVisit needs a VisitContext above it.');
  return visit;
}
