import type { Post, TidingsEvent } from '@tidings/client';

export interface Destinations {
  following: boolean;
  everyone: boolean;
}

const both: Destinations = { following: true, everyone: true };
const none: Destinations = { following: false, everyone: false };

/**
 * Which of the two feeds an event belongs in. A new post belongs where its channel says, one's own and what a host page feeds by hand
 * (no channel) in both; a change of a post wherever that post is, which the feeds know themselves.
 */
export function routeEvent(event: TidingsEvent, readerId: string): Destinations {
  const kind = event.channel?.split(':', 1)[0];
  if (event.type === 'post_created') {
    const post = event['post'] as Post | undefined;
    if (post === undefined) return none;
    if (kind === undefined || post.creator.id === readerId) return both;
    return { following: kind === 'feed', everyone: kind === 'public' };
  }
  if (event.type === 'feed_update') return { following: kind !== 'public', everyone: kind === 'public' };
  return both;
}
