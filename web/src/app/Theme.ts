import { Observable } from './Observable';
import { remembered } from './remembered';

export type ThemeChoice = 'system' | 'light' | 'dark';

const key = 'tidings.theme';

/** The reader's choice; `public/theme.js` applies it before the first paint of the next visit. */
export class Theme {
  readonly choice = new Observable<ThemeChoice>(readChoice());

  choose(choice: ThemeChoice): void {
    remembered.set(key, choice === 'system' ? null : choice);
    if (choice === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = choice;
    this.choice.set(choice);
  }
}

function readChoice(): ThemeChoice {
  const stored = remembered.get(key);
  return stored === 'light' || stored === 'dark' ? stored : 'system';
}
