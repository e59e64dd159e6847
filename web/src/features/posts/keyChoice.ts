import { Observable } from '../../app/Observable';
import { remembered } from '../../app/remembered';

const key = 'tidings.keys';

/** Single-letter keys can get in the way of speech input, so they can be switched off (WCAG 2.1.4). */
export const keyChoice = new Observable(remembered.get(key) !== 'off');

export function areKeysOn(): boolean {
  return keyChoice.get();
}

export function chooseKeys(on: boolean): void {
  remembered.set(key, on ? null : 'off');
  keyChoice.set(on);
}
