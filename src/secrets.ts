import { hideKey } from './leadconduit/leadconduit-error';

/** A shorter word is hidden only if its setting is a key, and where it stands alone: otherwise texts would become unreadable. */
const LEAST = 8;

const known = new Map<string, (text: string) => string>();

/** From now on `withoutSecrets` hides it, as a whole and in its words (`Bearer <token>`, the lines of a PEM file). */
export function keepSecret(secret: string, isKey = false): void {
  const whole = secret.trim();
  for (const part of [whole, ...whole.split(/\s+/)])
    if (part.length >= LEAST && !part.startsWith('-----') && !known.has(part)) known.set(part, hideKey(part));
  if (isKey && whole !== '' && whole.length < LEAST) known.set(whole, hideKey(whole, 'alone'));
}

/** Puts `***` for each secret that was read here: for every text that leaves this process and that others may have written. */
export const withoutSecrets = (text: string): string => [...known.values()].reduce((rest, hide) => hide(rest), text);
