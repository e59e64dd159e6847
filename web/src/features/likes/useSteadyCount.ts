import { useEffect, useRef, useState } from 'react';

const shortestStay = 1_000;

/** A count that changes on screen at most once a second; the last value always arrives. `atOnce` is for what the reader did. */
export function useSteadyCount(count: number, atOnce: boolean): number {
  const [shown, setShown] = useState(count);
  const changedAt = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    if (count === shown) return;
    const show = () => {
      changedAt.current = performance.now();
      setShown(count);
    };
    const wait = atOnce ? 0 : changedAt.current + shortestStay - performance.now();
    if (wait <= 0) {
      show();
      return;
    }
    const timer = setTimeout(show, wait);
    return () => clearTimeout(timer);
  }, [count, shown, atOnce]);
  return atOnce ? count : shown;
}
