import { useEffect, useState } from 'react';
import { explain } from '../../api/ApiError';
import { findCreators, type Creator } from '../../api/creators';
import { useVisit } from '../../app/VisitContext';

const typingPause = 250;

export interface CreatorSearch {
  creators: readonly Creator[] | null;
  error: string | null;
}

/** People whose name matches; an answer to an older question is dropped. */
export function useCreators(query: string): CreatorSearch {
  const { follows } = useVisit();
  const [result, setResult] = useState<CreatorSearch>({ creators: null, error: null });

  useEffect(() => {
    const abandoned = new AbortController();
    const timer = setTimeout(() => {
      findCreators(query.trim(), abandoned.signal)
        .then((creators) => {
          follows.learn(creators);
          setResult({ creators, error: null });
        })
        .catch((error: unknown) => {
          if (!abandoned.signal.aborted) setResult((before) => ({ ...before, error: explain(error) }));
        });
    }, query === '' ? 0 : typingPause);
    return () => {
      clearTimeout(timer);
      abandoned.abort();
    };
  }, [query, follows]);

  return result;
}
