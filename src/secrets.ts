import { hideKey } from './leadconduit/errors';

/** What is shorter is no secret worth the name, and to hide it would make words unreadable. */
const LEAST = 8;

const known = new Map<string, (text: string) => string>();

/** From now on no text of `withoutSecrets` has it: neither as a whole nor its words (`Bearer <token>`, the lines of a PEM file). */
export function keepSecret(secret: string): void {
  for (const part of [secret.trim(), ...secret.split(/\s+/)])
    if (part.length >= LEAST && !part.startsWith('-----') && !known.has(part)) known.set(part, hideKey(part));
}

/** For every text that leaves this process and that somebody else had a hand in: `***` for each secret that was read here. */
export const withoutSecrets = (text: string): string => [...known.values()].reduce((rest, hide) => hide(rest), text);
