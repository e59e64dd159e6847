/** A message of the server: an object with a `type`. */
export interface Message {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Null for what is not a message: it is ignored, as docs/protocol.md asks for everything unknown. */
export function parseMessage(text: unknown): Message | null {
  if (typeof text !== 'string') return null;
  try {
    return asMessage(JSON.parse(text));
  } catch {
    return null;
  }
}

export function asMessage(value: unknown): Message | null {
  return typeof value === 'object' && value !== null && typeof (value as Message).type === 'string' ? (value as Message) : null;
}

/** The text in a field, or undefined when it is absent or something else. */
export function textOf(message: Readonly<Record<string, unknown>>, field: string): string | undefined {
  const value = message[field];
  return typeof value === 'string' ? value : undefined;
}

/** The texts in a list field; anything else counts as an empty list. */
export function textsOf(message: Readonly<Record<string, unknown>>, field: string): string[] {
  const value = message[field];
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}
