import { hideKey } from './leadconduit/leadconduit-error';

/** A shorter word is hidden only where it is a key by its setting's name, and stands alone: else texts would be unreadable. */
const LEAST = 8;

const known = new Map<string, (text: string) => string>();

/** From now on no text of `withoutSecrets` has it: neither as a whole nor its words (`Bearer <token>`, the lines of a PEM file). */
export function keepSecret(secret: string, isKey = false): void {
  const whole = secret.trim();
  for (const part of [whole, ...whole.split(/\s+/)])
    if (part.length >= LEAST && !part.startsWith('-----') && !known.has(part)) known.set(part, hideKey(part));
  if (isKey && whole !== '' && whole.length < LEAST) known.set(whole, hideKey(whole, 'alone'));
}

/** For every text that leaves this process and that somebody else had a hand in: `***` for each secret that was read here. */
export const withoutSecrets = (text: string): string => [...known.values()].reduce((rest, hide) => hide(rest), text);
