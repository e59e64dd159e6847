/** A link that a post may open: http or https, absolute. Anything else (`javascript:`, `data:` …) is null. */
export function safeLink(text: string): string | null {
  try {
    const url = new URL(text);
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : null;
  } catch {
    return null;
  }
}

/** A picture or recording: our own (`/api/media/…`) or https. */
export function safeMediaUrl(text: string | null): string | null {
  if (text === null || text === '') return null;
  try {
    const url = new URL(text, location.origin);
    return url.protocol === 'https:' || url.origin === location.origin ? url.href : null;
  } catch {
    return null;
  }
}
