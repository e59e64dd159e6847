import type { AnchorHTMLAttributes, MouseEvent } from 'react';
import { useApp } from './AppContext';

interface Props extends Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href'> {
  to: string;
}

/** A link within the page; with a modifier key it is the browser's own. */
export function Link({ to, onClick, ...rest }: Props) {
  const { router } = useApp();
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    router.go(to);
  };
  return <a {...rest} href={to} onClick={follow} />;
}
