/** Text that others wrote, wherever it is shown: which of its characters are never shown as they are, and what replaces them. */

/** Characters that control a terminal or end a line: C0, DEL and C1, and the line separators. */
const CONTROLS = '\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029';
/** Characters that change the direction of writing, even that of the text around them. */
const TURNS = '\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u206f';

/** Characters that show nothing, without C0 and DEL: white space, C1, and those that only join, separate or fill others. */
const UNSEEN =
  '\\u034f \\x80-\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff' +
  '\\u00ad\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f' +
  '\\u2800\\u3164\\ufe00-\\ufe0f\\uffa0\\ufff9-\\ufffb';

/** A text with at least one character that shows. */
export const SHOWS = new RegExp(`[^${UNSEEN}\\x00-\\x1f\\x7f]`); // eslint-disable-line no-misleading-character-class -- each stands for itself
/** Such a text without C0 and DEL. No character fits two neighbouring parts, so nothing is tried twice, and a long text takes
 *  no longer for it. */
// eslint-disable-next-line no-misleading-character-class -- each stands for itself
export const LINE_THAT_SHOWS = new RegExp(`^[${UNSEEN}]*[^${UNSEEN}\\x00-\\x1f\\x7f][^\\x00-\\x1f\\x7f]*$`);

const controls = new RegExp(`[${CONTROLS}]+`, 'g');
/** And lone surrogates, which are not characters. */
const turns = new RegExp(`[${TURNS}\\p{Cs}]`, 'gu');
/** JSON escapes C0 by itself, and its line breaks are layout. */
const inJson = new RegExp(`(?![\\x00-\\x1f])[${CONTROLS}${TURNS}]`, 'g');

/** Makes a text safe to show on one line: controls become a space, and each character that changes the direction U+FFFD. */
export const visible = (text: string): string => text.replace(controls, ' ').replace(turns, '\ufffd');

/** The same, line by line. */
export const visibleLines = (text: string): string => text.split('\n').map(visible).join('\n');

/** The same value with all its texts visible. */
export function visibleIn<T>(value: T): T {
  const clean = (_: string, part: unknown) => (typeof part === 'string' ? visible(part) : part);
  return JSON.parse(JSON.stringify(value), clean) as T;
}

/** JSON that parses to the same value, and is harmless on a terminal. */
export const toJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replace(
    inJson,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** Quotes a text as one word of a command line. */
export const forShell = (text: string) =>
  /^[\w./:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
