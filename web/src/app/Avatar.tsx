import { useState } from 'react';
import { safeMediaUrl } from './safeUrl';

interface Props {
  person: { id: string; nickname: string; fullName: string; avatar: string | null };
  size?: 'small' | 'medium' | 'large';
}

/** A picture, or initials on a colour that belongs to the person. Decorative: the name always stands beside it. */
export function Avatar({ person, size = 'medium' }: Props) {
  const [broken, setBroken] = useState(false);
  const url = safeMediaUrl(person.avatar);
  const colour = { '--hue': String(hueOf(person.id)) } as React.CSSProperties;
  return (
    <span className={`avatar avatar-${size}`} style={colour} aria-hidden="true">
      {url !== null && !broken ? <img src={url} alt="" loading="lazy" onError={() => setBroken(true)} /> : initialsOf(person)}
    </span>
  );
}

function initialsOf(person: Props['person']): string {
  const words = (person.fullName || person.nickname).trim().split(/\s+/);
  const first = [...(words[0] ?? '')][0] ?? '?';
  const last = words.length > 1 ? ([...(words.at(-1) ?? '')][0] ?? '') : '';
  return (first + last).toUpperCase();
}

function hueOf(id: string): number {
  let hash = 0;
  for (const char of id) hash = (hash * 31 + char.charCodeAt(0)) % 9_973;
  return (hash * 47) % 360;
}
