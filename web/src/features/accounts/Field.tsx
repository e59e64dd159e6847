import { useId, type InputHTMLAttributes } from 'react';

interface Props extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  hint?: string;
  errors?: readonly string[] | undefined;
}

export function Field({ label, hint, errors, ...input }: Props) {
  const id = useId();
  const wrong = errors !== undefined && errors.length > 0;
  const note = wrong ? errors.join(' ') : hint;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input {...input} id={id} aria-invalid={wrong} aria-describedby={note === undefined ? undefined : `${id}-note`} />
      {note !== undefined && (
        <p id={`${id}-note`} className={wrong ? 'field-error' : 'field-hint'}>
          {note}
        </p>
      )}
    </div>
  );
}
