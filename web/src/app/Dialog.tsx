import { useEffect, useRef, type ReactNode } from 'react';

interface Props {
  label: string;
  className?: string;
  /** Escape, the backdrop, or the browser's back gesture on phones. */
  onDismiss: () => void;
  children: ReactNode;
}

/** The browser's own modal dialog: it keeps the focus inside, begins at `data-autofocus`, and gives it back to where it was. */
export function Dialog({ label, className = '', onDismiss, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (element === null) return;
    const before = document.activeElement;
    if (!element.open) element.showModal();
    // React's autoFocus runs before the dialog opens, which then takes the first button instead.
    element.querySelector<HTMLElement>('[data-autofocus]')?.focus();
    return () => {
      element.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      className={`dialog ${className}`}
      aria-label={label}
      onCancel={(event) => {
        event.preventDefault();
        onDismiss();
      }}
      onPointerDown={(event) => {
        if (event.target === dialog.current) onDismiss();
      }}
    >
      <div className="dialog-content">{children}</div>
    </dialog>
  );
}
