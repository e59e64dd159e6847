import type { ReactNode } from 'react';

function Icon({ children, filled = false }: { children: ReactNode; filled?: boolean }) {
  return (
    <svg
      className="icon"
      viewBox="0 0 24 24"
      fill={filled ? 'currentColor' : 'none'}
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {children}
    </svg>
  );
}

export const HomeIcon = () => <Icon><path d="M4 10.5 12 4l8 6.5V19a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 19z" /><path d="M9.5 20.5v-6h5v6" /></Icon>;
export const PeopleIcon = () => <Icon><circle cx="9" cy="8.5" r="3.5" /><path d="M2.8 19.5c.6-3.4 3-5.2 6.2-5.2s5.6 1.8 6.2 5.2" /><path d="M15.5 5.3a3.3 3.3 0 0 1 0 6.3M17.7 14.7c2 .7 3.2 2.3 3.6 4.8" /></Icon>;
export const CalendarIcon = () => <Icon><rect x="3.5" y="5" width="17" height="15.5" rx="2.5" /><path d="M3.5 10h17M8 2.8V7M16 2.8V7" /></Icon>;
export const PersonIcon = () => <Icon><circle cx="12" cy="8" r="4" /><path d="M4.5 20.5c.8-3.9 3.6-5.9 7.5-5.9s6.7 2 7.5 5.9" /></Icon>;
export const PenIcon = () => <Icon><path d="M4 20l1-4.5L16.5 4a2 2 0 0 1 2.8 0l.7.7a2 2 0 0 1 0 2.8L8.5 19z" /><path d="M14.5 6l3.5 3.5" /></Icon>;
export const HeartIcon = ({ filled = false }: { filled?: boolean }) => <Icon filled={filled}><path d="M12 20.3 4.9 13.3a4.7 4.7 0 0 1 0-6.7 4.7 4.7 0 0 1 6.6 0l.5.5.5-.5a4.7 4.7 0 0 1 6.6 0 4.7 4.7 0 0 1 0 6.7z" /></Icon>;
export const LockIcon = () => <Icon><rect x="5" y="10.5" width="14" height="10" rx="2.5" /><path d="M8 10.5V8a4 4 0 0 1 8 0v2.5" /></Icon>;
export const MoreIcon = () => <Icon><circle cx="5.5" cy="12" r=".6" /><circle cx="12" cy="12" r=".6" /><circle cx="18.5" cy="12" r=".6" /></Icon>;
export const CloseIcon = () => <Icon><path d="M6 6l12 12M18 6 6 18" /></Icon>;
export const CheckIcon = () => <Icon><circle cx="12" cy="12" r="8.5" /><path d="M8.3 12.3l2.5 2.5 5-5.3" /></Icon>;
export const InfoIcon = () => <Icon><circle cx="12" cy="12" r="8.5" /><path d="M12 11v5M12 8v.1" /></Icon>;
export const WarningIcon = () => <Icon><path d="M12 4 3 19.5h18z" /><path d="M12 10v4M12 16.8v.1" /></Icon>;
export const ArrowUpIcon = () => <Icon><path d="M12 19V5M6 11l6-6 6 6" /></Icon>;
export const SearchIcon = () => <Icon><circle cx="11" cy="11" r="6.5" /><path d="M16 16l4.5 4.5" /></Icon>;
export const SunIcon = () => <Icon><circle cx="12" cy="12" r="4" /><path d="M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4" /></Icon>;
export const MoonIcon = () => <Icon><path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z" /></Icon>;
export const SystemIcon = () => <Icon><rect x="3" y="4.5" width="18" height="12" rx="2" /><path d="M8.5 20h7" /></Icon>;
export const SignInIcon = () => <Icon><path d="M13.5 4H18a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-4.5M4 12h11M11 8l4 4-4 4" /></Icon>;
export const SignOutIcon = () => <Icon><path d="M10.5 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h4.5M20 12H9.5M16 8l4 4-4 4" /></Icon>;
export const TrashIcon = () => <Icon><path d="M4.5 7h15M10 7V4.5h4V7M6.5 7l.8 12a1.5 1.5 0 0 0 1.5 1.4h6.4a1.5 1.5 0 0 0 1.5-1.4l.8-12" /></Icon>;
export const RetryIcon = () => <Icon><path d="M19.5 12a7.5 7.5 0 1 1-2.4-5.5" /><path d="M19.8 3.5v4.3h-4.3" /></Icon>;
export const BoltIcon = () => <Icon><path d="M13 3 5.5 13.5H12L11 21l7.5-10.5H12z" /></Icon>;
export const KeyboardIcon = () => <Icon><rect x="2.5" y="6" width="19" height="12.5" rx="2" /><path d="M6.5 10v.1M10 10v.1M13.5 10v.1M17 10v.1M7.5 14.5h9" /></Icon>;

/** The mark: a note that rides on waves. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect className="mark-ground" width="32" height="32" rx="9" />
      <circle className="mark-note" cx="16" cy="8.6" r="2.6" />
      <path className="mark-waves" d="M5.5 17c3.5-4.2 7-4.2 10.5 0s7 4.2 10.5 0M5.5 23.5c3.5-4.2 7-4.2 10.5 0s7 4.2 10.5 0" />
    </svg>
  );
}
