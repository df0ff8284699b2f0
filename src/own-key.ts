/** What a key of our own API and console must be, wherever it comes from. */

/** A shorter key can be found by trying. */
const LEAST = 12;
/** `$(…)`, `${…}`, `$name` or a command in backquotes, such as somebody types in a `.env` file, which runs no commands. */
const TYPED = /^["']?(?:\$[({]|\$[a-z_]\w*["']?$|`.*`["']?$)/i;
const MAKES_ONE = '`openssl rand -hex 24` prints one';

/** Why the key could be guessed, as the rest of a sentence that begins with the setting; undefined if it could not. */
export function guessable(key: string): string | undefined {
  const text = key.trim();
  if (TYPED.test(text)) return `is shell syntax that no shell has filled in: put a key itself there (${MAKES_ONE})`;
  return text.length < LEAST ? `must have ${LEAST} characters at least: ${MAKES_ONE}` : undefined;
}

/** As `guessable`, and why no request could carry the key. */
export const unusable = (key: string): string | undefined =>
  /^[\x20-\x7e]*$/.test(key) ? guessable(key) : `must be printable ASCII on one line: ${MAKES_ONE}`;
