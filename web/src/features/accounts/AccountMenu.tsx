import type { User } from '../../api/accounts';
import { useApp } from '../../app/AppContext';
import { Avatar } from '../../app/Avatar';
import { PersonIcon, SignOutIcon } from '../../app/icons';
import { Menu } from '../../app/Menu';

export function AccountMenu({ user }: { user: User }) {
  const { session, router } = useApp();
  return (
    <Menu
      label={`Account of ${user.fullName || user.nickname}`}
      named
      className="account-menu"
      trigger={
        <>
          <Avatar person={user} size="small" />
          <span className="account-name nav-label">
            <strong>
              <span className="visually-hidden">Account of </span>
              {user.fullName || user.nickname}
            </strong>
            <span>@{user.nickname}</span>
          </span>
        </>
      }
    >
      <button type="button" role="menuitem" onClick={() => router.go(`/people/${encodeURIComponent(user.id)}`)}>
        <PersonIcon />
        My posts
      </button>
      <button type="button" role="menuitem" onClick={() => void session.signOut()}>
        <SignOutIcon />
        Sign out
      </button>
    </Menu>
  );
}
