import { useVisit } from '../../app/VisitContext';
import { useObservable } from '../../app/useObservable';
import { ComposerDialog } from './ComposerDialog';

/** The window for writing, wherever on the page it was asked for. */
export function Composer() {
  const { composing } = useVisit();
  const current = useObservable(composing.current);
  return current === null ? null : <ComposerDialog composition={current} />;
}
