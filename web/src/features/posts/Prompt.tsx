import type { User } from '../../api/accounts';
import { Avatar } from '../../app/Avatar';
import { useVisit } from '../../app/VisitContext';

/** Looks like a place to write, and opens one. */
export function Prompt({ user }: { user: User }) {
  const { composing } = useVisit();
  return (
    <button type="button" className="prompt" aria-haspopup="dialog" onClick={() => composing.begin()}>
      <Avatar person={user} />
      <span className="prompt-text">What’s the news?</span>
      <span className="prompt-action" aria-hidden="true">
        Post
      </span>
    </button>
  );
}
