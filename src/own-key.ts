/** What a key of our own API and console must be, wherever it comes from. */

/** What is shorter is found by trying. */
const LEAST = 12;
/** `$(…)`, `${…}`, `$name` or a command in backquotes: in a `.env` file, say, which runs no commands. */
const TYPED = /^["']?(?:\$[({]|\$[a-z_]\w*["']?$|`.*`["']?$)/i;
const MAKES_ONE = '`openssl rand -hex 24` prints one';

/** Why it would be guessed, as the rest of a sentence that begins with the setting; undefined where it would not be. */
export function guessable(key: string): string | undefined {
  const text = key.trim();
  if (TYPED.test(text)) return `is shell syntax that no shell has filled in: put a key itself there (${MAKES_ONE})`;
  return text.length < LEAST ? `must have ${LEAST} characters at least: ${MAKES_ONE}` : undefined;
}

/** And why no request could carry it. */
export const unusable = (key: string): string | undefined =>
  /^[\x20-\x7e]*$/.test(key) ? guessable(key) : `must be printable ASCII on one line: ${MAKES_ONE}`;
