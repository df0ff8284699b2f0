/**
 * Cleans texts from outside before they enter the state, whether people, programs or LeadConduit sent them. A lone
 * surrogate in a failure's message cannot be encoded as UTF-8 and would end every worker that tries. Characters that
 * steer a terminal or reverse the order of letters could make one text look like another.
 */

/** Control characters (C0, DEL, C1) except tab and line feed, line and paragraph separators, and direction marks. */
// eslint-disable-next-line no-control-regex -- control characters are what it has to match
const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Limits in characters, of free text and of names, labels and keys. A message of Temporal's own tools is cut, the other doors
 * refuse it. A state with many such texts must stay below the 2 MB that Temporal hands over to a new run.
 */
export const TEXT_LENGTH = 2_000;
export const LINE_LENGTH = 200;

const cut = (text: string, most: number) => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);

/** Cleans a text that may have several lines. */
export const cleanText = (text: string, most = TEXT_LENGTH): string =>
  cut(text.slice(0, 2 * most).replaceAll('\r\n', '\n'), most)
    .toWellFormed()
    .replace(STEERING, '\ufffd');

/** Cleans a text and makes it a single line. */
export const cleanLine = (text: string, most = LINE_LENGTH): string => cleanText(text, most).replace(/[\t\n]/g, ' ');

/** Whether `cleanLine` would leave the text as it is. A key must be clean, or cleaning could make two keys equal. */
export const isClean = (text: string): boolean => cleanLine(text, text.length + 1) === text;

/** Escapes a text for Temporal's web page, which renders Markdown: it is shown as it is, and nothing becomes a link. */
export const asMarkdown = (text: string): string =>
  text.replace(/[\\`*{}[\]()<>#!|~@&]|:(?=\/)|(?<![a-z\d])_|_(?![a-z\d])/gi, '\\$&').replace(/\bwww\./gi, 'www\\.');
