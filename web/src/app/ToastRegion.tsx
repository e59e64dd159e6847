import { CheckIcon, CloseIcon, InfoIcon, WarningIcon } from './icons';
import type { Toast, Toasts } from './Toasts';
import { useObservable } from './useObservable';
import './toasts.css';

const icons = { success: CheckIcon, warning: WarningIcon, error: WarningIcon, neutral: InfoIcon } satisfies Record<Toast['tone'], unknown>;

/** In the document from the first render, so that screen readers announce what is put into it. */
export function ToastRegion({ toasts }: { toasts: Toasts }) {
  const shown = useObservable(toasts.shown);
  return (
    <div
      className="toasts"
      role="status"
      aria-live="polite"
      aria-relevant="additions"
      onPointerEnter={() => toasts.hold(true)}
      onPointerLeave={() => toasts.hold(false)}
      onFocus={() => toasts.hold(true)}
      onBlur={() => toasts.hold(false)}
    >
      {shown.map((toast) => {
        const Icon = icons[toast.tone];
        return (
          <div key={toast.id} className={`toast toast-${toast.tone}`}>
            <Icon />
            <span>{toast.text}</span>
            <button type="button" className="icon-button small" aria-label="Dismiss" onClick={() => toasts.dismiss(toast.id)}>
              <CloseIcon />
            </button>
          </div>
        );
      })}
    </div>
  );
}
