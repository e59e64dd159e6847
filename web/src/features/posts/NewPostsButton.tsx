import type { FeedSnapshot } from '@tidings/client';
import type { MouseEvent } from 'react';
import { Avatar } from '../../app/Avatar';
import { ArrowUpIcon } from '../../app/icons';
import './feed.css';

interface Props {
  snapshot: FeedSnapshot;
  /** New posts known only by number. */
  untold: number;
  /** `byKeyboard`: then the focus should go to the first new post. */
  onShow: (byKeyboard: boolean) => void;
}

export function NewPostsButton({ snapshot, untold, onShow }: Props) {
  const count = snapshot.pendingCount + untold;
  if (count === 0) return null;
  const shown = snapshot.pendingOverflowed ? `${count}+` : String(count);
  return (
    <div className="new-posts">
      <button
        type="button"
        className="new-posts-button"
        data-testid="new-posts-button"
        data-count={count}
        onClick={(event: MouseEvent) => onShow(event.detail === 0)}
      >
        <ArrowUpIcon />
        {snapshot.pendingAuthors.length > 0 && (
          <span className="new-posts-authors">
            {snapshot.pendingAuthors.map((author) => (
              <Avatar key={author.id} person={{ ...author, fullName: '' }} size="small" />
            ))}
          </span>
        )}
        <span className="count">{count === 1 ? '1 new post' : `${shown} new posts`}</span>
      </button>
    </div>
  );
}
