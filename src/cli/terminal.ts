import { clearTimeout, setTimeout } from 'node:timers';
import { styleText } from 'node:util';

/** Where text is shown. Only a terminal has a width and colours: piped text is never cut, wrapped or coloured. */
export interface Screen {
  width?: number;
  colours: boolean;
  now: number;
}

/** Node's own `hasColors` respects NO_COLOR and dumb terminals. */
export function standardOutput(): Screen {
  const { isTTY, columns } = process.stdout;
  return { width: isTTY ? columns || 80 : undefined, colours: isTTY && process.stdout.hasColors(), now: Date.now() };
}

type Style = Parameters<typeof styleText>[0];
export const painter =
  ({ colours }: Screen) =>
  (style: Style, text: string) =>
    colours ? styleText(style, text, { validateStream: false }) : text;

const GAP = 2;
const LEAST_ROOM = 20;

/** Aligns columns, one text per row. On a terminal, the last column is wrapped if there is room for words. */
export function table(rows: string[][], { width }: Screen, indent = 2): string[] {
  const widths = rows.reduce<number[]>((most, row) => row.map((cell, i) => Math.max(most[i] ?? 0, cell.length)), []);
  const left = indent + widths.slice(0, -1).reduce((sum, each) => sum + each + GAP, 0);
  const room = width === undefined || width - left < LEAST_ROOM ? Infinity : width - left;
  return rows.map((row) => {
    const start = row.slice(0, -1).map((cell, i) => cell.padEnd((widths[i] ?? 0) + GAP));
    const lines = wrapped(row.at(-1) ?? '', room).join(`\n${' '.repeat(left)}`);
    return `${' '.repeat(indent)}${start.join('')}${lines}`.trimEnd();
  });
}

function wrapped(text: string, room: number): string[] {
  if (room === Infinity) return [text];
  const lines = [''];
  const pieces = new RegExp(`.{1,${room}}`, 'gu');
  for (const word of text.split(' ').flatMap((whole) => whole.match(pieces) ?? [])) {
    const line = lines.at(-1)!;
    if (line !== '' && line.length + 1 + word.length > room) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}

const SILENCE_MS = 1_500;

/** Tells a person at a terminal, after a moment, what the command waits for. */
export async function telling<T>(what: string, work: Promise<T>): Promise<T> {
  const erase = '\r\x1b[K';
  let shown = '';
  const timer = setTimeout(() => process.stderr.isTTY && process.stderr.write((shown = `${what} …`)), SILENCE_MS);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
    if (shown) process.stderr.write(erase);
  }
}
