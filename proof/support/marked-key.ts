/** A key that looks different in every notation, and a search for what is left of it in any. */

export const KEY = 'Mark7f3aQ9/+k=e&y%z"?~\\end8c2dX';
/** Parts that look the same in all notations but Base64; even these must not be anywhere. */
const PARTS = ['mark7f3aq9', 'end8c2dx'];

/** What Base64 makes of the key wherever it stands in a longer text, without the characters that it shares with its neighbours. */
function base64Cores(encoding: 'base64' | 'base64url'): string[] {
  return [0, 1, 2].map((before) => {
    const text = Buffer.from(`${'x'.repeat(before)}${KEY}`).toString(encoding);
    const [from, to] = [Math.ceil((before * 8) / 6), Math.floor(((before + KEY.length) * 8) / 6)];
    return text.slice(from, to);
  });
}
const CORES = [...base64Cores('base64'), ...base64Cores('base64url')];

const percentDecoded = (text: string) =>
  text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
const unescaped = (text: string) =>
  text
    .replace(/\\u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    .replace(/\\(["/\\])/g, '$1');

/** Which traces of the key a text has: plain or Base64 (at any alignment), each percent-encoded or escaped as in JSON. */
export function traces(text: string): string[] {
  const decoded = percentDecoded(text);
  const readings = [text, decoded, unescaped(text), unescaped(decoded), percentDecoded(unescaped(text))];
  const found = readings.flatMap((reading) => {
    const lower = reading.toLowerCase();
    return [...PARTS.filter((part) => lower.includes(part)), ...CORES.filter((core) => reading.includes(core))];
  });
  return [...new Set(found)];
}

/** All that is in a value, as text; the bytes of payloads too. */
export function readable(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([name, inner]) => `${name}: ${readable(inner)}`)
    .join('\n');
}
