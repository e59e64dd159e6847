import { useApp } from './AppContext';
import { MoonIcon, SunIcon, SystemIcon } from './icons';
import type { ThemeChoice } from './Theme';
import { useObservable } from './useObservable';

const next: Record<ThemeChoice, ThemeChoice> = { system: 'light', light: 'dark', dark: 'system' };
const names: Record<ThemeChoice, string> = { system: 'System theme', light: 'Light theme', dark: 'Dark theme' };
const icons = { system: SystemIcon, light: SunIcon, dark: MoonIcon };

export function ThemeButton() {
  const { theme } = useApp();
  const choice = useObservable(theme.choice);
  const Icon = icons[choice];
  return (
    <button
      type="button"
      className="nav-item"
      title={`${names[choice]}. Switch to ${names[next[choice]].toLowerCase()}`}
      aria-label={`${names[choice]}. Switch to ${names[next[choice]].toLowerCase()}`}
      onClick={() => theme.choose(next[choice])}
    >
      <Icon />
      <span className="nav-label">{names[choice]}</span>
    </button>
  );
}
