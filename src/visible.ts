/** Text that others wrote, wherever it is shown: which of its characters are not passed on as they are, and what stands for them. */

/** What steers a terminal or ends a line: C0, DEL and C1, and the separators of lines. */
const CONTROLS = '\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029';
/** What turns the direction of writing, of others' words too. */
const TURNS = '\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u206f';

/** What shows nothing, but for C0 and DEL: white space, C1, and what only joins, parts or fills others. */
const UNSEEN =
  '\\u034f \\x80-\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff' +
  '\\u00ad\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f' +
  '\\u2800\\u3164\\ufe00-\\ufe0f\\uffa0\\ufff9-\\ufffb';

/** At least one character that shows. */
export const SHOWS = new RegExp(`[^${UNSEEN}\\x00-\\x1f\\x7f]`); // eslint-disable-line no-misleading-character-class -- each stands for itself
/** And none that steers. No character fits two neighbouring parts, so there is one way to read a text, and a long one takes no
 *  longer for it. */
// eslint-disable-next-line no-misleading-character-class -- each stands for itself
export const LINE_THAT_SHOWS = new RegExp(`^[${UNSEEN}]*[^${UNSEEN}\\x00-\\x1f\\x7f][^\\x00-\\x1f\\x7f]*$`);

const controls = new RegExp(`[${CONTROLS}]+`, 'g');
/** And half a character, which is none. */
const turns = new RegExp(`[${TURNS}\\p{Cs}]`, 'gu');
/** JSON has signs of its own for C0, and its line breaks are its layout. */
const inJson = new RegExp(`(?![\\x00-\\x1f])[${CONTROLS}${TURNS}]`, 'g');

/** On one line: a space for controls, the sign for what cannot be shown (U+FFFD) for each character that turns. */
export const visible = (text: string): string => text.replace(controls, ' ').replace(turns, '\ufffd');

/** The same, line by line. */
export const visibleLines = (text: string): string => text.split('\n').map(visible).join('\n');

/** The same value with all its texts visible. */
export function visibleIn<T>(value: T): T {
  const clean = (_: string, part: unknown) => (typeof part === 'string' ? visible(part) : part);
  return JSON.parse(JSON.stringify(value), clean) as T;
}

/** The same value to whoever parses it, and harmless on a terminal. */
export const toJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replace(
    inJson,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** As one word of a command line, whatever is in it. */
export const forShell = (text: string) =>
  /^[\w./:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
