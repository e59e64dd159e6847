import type { Post } from '@tidings/client';
import { useLayoutEffect, useRef, useState } from 'react';
import { LockIcon } from '../../app/icons';
import { safeMediaUrl } from '../../app/safeUrl';
import { PostText } from './PostText';

export function PostBody({ post }: { post: Post }) {
  const { content, media, access } = post;
  const locked = access.isLocked && !access.hasAccess;
  return (
    <>
      {content.title !== '' && <h2 className="post-title">{content.title}</h2>}
      {content.text !== null && content.text !== '' && <FoldedText text={content.text} />}
      {!locked && <PostMedia media={media} />}
      {locked && <LockedNote access={access} />}
    </>
  );
}

/** Long posts begin folded; unfolding is the reader's choice and moves nothing above. */
function FoldedText({ text }: { text: string }) {
  const [unfolded, setUnfolded] = useState(false);
  const [isLong, setIsLong] = useState(false);
  const paragraph = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = paragraph.current;
    if (element !== null && !unfolded) setIsLong(element.scrollHeight > element.clientHeight + 4);
  }, [text, unfolded]);
  return (
    <>
      <div ref={paragraph} className={unfolded ? 'post-text' : 'post-text folded'} dir="auto">
        <PostText text={text} />
      </div>
      {isLong && !unfolded && (
        <button type="button" className="link-button post-unfold" onClick={() => setUnfolded(true)}>
          Show more
        </button>
      )}
    </>
  );
}

function PostMedia({ media }: { media: Post['media'] }) {
  const url = safeMediaUrl(media.url);
  if (url === null) return null;
  switch (media.type) {
    case 'image':
      return <img className="post-media" src={url} alt="" loading="lazy" />;
    case 'video':
      return <video className="post-media" src={url} poster={safeMediaUrl(media.thumbnail) ?? undefined} controls preload="metadata" />;
    case 'audio':
      return <audio className="post-audio" src={url} controls preload="metadata" />;
    case 'text':
      return null;
  }
}

function LockedNote({ access }: { access: Post['access'] }) {
  const byTier = access.tier !== null && access.tier !== '';
  return (
    <div className="post-locked">
      <LockIcon />
      <span>
        <strong>Locked post</strong>
        {byTier ? ` · for ${access.tier} subscribers` : access.price !== null ? ` · ${access.price} ${access.currency}` : ''}
      </span>
    </div>
  );
}
