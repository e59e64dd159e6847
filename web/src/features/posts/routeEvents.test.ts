import { describe, expect, it } from 'vitest';
import { aPost, lin, nora } from '../../testing/aPost';
import { routeEvent } from './routeEvents';

const created = (channel: string | undefined, creator: typeof lin) => ({ type: 'post_created', post: aPost({ creator }), ...(channel && { channel }) });

describe('routeEvent', () => {
  it.each([
    ['a followed creator’s post', created('feed:u1', lin), { following: true, everyone: false }],
    ['a stranger’s public post', created('public:posts', lin), { following: false, everyone: true }],
    ['an own post', created('feed:u1', nora), { following: true, everyone: true }],
    ['a post fed by hand', created(undefined, lin), { following: true, everyone: true }],
    ['a creator’s page', created('creator:u2', lin), { following: false, everyone: false }],
    ['an event without its post', { type: 'post_created', channel: 'feed:u1' }, { following: false, everyone: false }],
    ['a like', { type: 'post_liked', channel: 'post:p1', postId: 'p1' }, { following: true, everyone: true }],
    ['too many public posts', { type: 'feed_update', channel: 'public:posts', count: 70 }, { following: false, everyone: true }],
    ['a changed right', { type: 'feed_update', channel: 'feed:u1', postIds: ['p1'] }, { following: true, everyone: false }],
  ])('%s', (_name, event, expected) => {
    expect(routeEvent(event, nora.id)).toEqual(expected);
  });
});
