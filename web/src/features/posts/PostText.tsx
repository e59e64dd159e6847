import type { ReactNode } from 'react';
import { safeLink } from '../../app/safeUrl';

const address = /https?:\/\/[^\s<>"'`]+/gi;
/** What ends a sentence rather than an address. */
const trailing = /[.,;:!?)\]}…]+$/;

/** A post's words. They become text nodes and links, never markup. */
export function PostText({ text }: { text: string }) {
  const parts: ReactNode[] = [];
  let from = 0;
  for (const match of text.matchAll(address)) {
    const shown = match[0].replace(trailing, '');
    const href = safeLink(shown);
    if (href === null) continue;
    parts.push(text.slice(from, match.index));
    parts.push(
      <a key={match.index} href={href} target="_blank" rel="noopener noreferrer nofollow">
        {shortened(shown)}
      </a>,
    );
    from = match.index + shown.length;
  }
  parts.push(text.slice(from));
  return <>{parts}</>;
}

function shortened(link: string): string {
  const bare = link.replace(/^https?:\/\/(www\.)?/i, '').replace(/\/$/, '');
  return bare.length > 48 ? `${bare.slice(0, 47)}…` : bare;
}
