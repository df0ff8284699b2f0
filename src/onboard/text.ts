/**
 * Text from outside, on its way into the state. Everything that people, programs and LeadConduit say comes through here:
 * a lone surrogate in a failure's message cannot be written as UTF-8 and would end every worker that tries, and what
 * steers a terminal or turns the order of letters round could pass for something else.
 */

/** Controls (C0, DEL, C1), line and paragraph separators, and what sets the direction of text; not tab and line feed. */
// eslint-disable-next-line no-control-regex -- it is about them
const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** In characters: of what people write, and of names, labels and keys. A state of over 2 MB could never be carried on. */
export const TEXT_LENGTH = 2_000;
export const LINE_LENGTH = 200;

const cut = (text: string, most: number) => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);

/** Of several lines. */
export const cleanText = (text: string, most = TEXT_LENGTH): string =>
  cut(text.slice(0, 2 * most).replaceAll('\r\n', '\n'), most)
    .toWellFormed()
    .replace(STEERING, '\ufffd');

/** Of one line. */
export const cleanLine = (text: string, most = LINE_LENGTH): string => cleanText(text, most).replace(/[\t\n]/g, ' ');

/** Whether it would stay as it is: one that would not must be refused where two texts are told apart by it. */
export const isClean = (text: string): boolean => cleanLine(text, text.length + 1) === text;

/** For Temporal's web page, which reads what it shows as Markdown: shown to the letter, and nothing becomes a link. */
export const asMarkdown = (text: string): string =>
  text.replace(/[\\`*{}[\]()<>#!|~@&]|:(?=\/)|(?<![a-z\d])_|_(?![a-z\d])/gi, '\\$&').replace(/\bwww\./gi, 'www\\.');
