/** What is kept of what happened: a ledger of calls, a timeline for people, the keys of messages. Each is bounded, and counts what it drops. */
import type { Effect } from './lifecycle';
import type { LedgerEntry, TimelineLine } from '../workflows/messages';
import type { Onboard } from './state';
import { cleanText } from './text';

const KEEP = { ledger: 200, timeline: 500, keys: 1_000 } as const;
/** In bytes; with a record of 256 kB at most this stays well below what one payload may be. */
const MOST = { ledger: 300_000, timeline: 700_000, keys: 200_000 } as const;

export const iso = (ms: number) => new Date(ms).toISOString();

/** At most what it takes as JSON in UTF-8: two bytes for what is escaped, six for a control character or one beyond ASCII. */
export function weigh(item: object): number {
  let bytes = 2;
  for (const [name, value] of Object.entries(item)) {
    bytes += name.length + 6;
    for (const character of String(value))
      bytes += character < ' ' || character > '\u007e' ? 6 : character === '"' || character === '\\' ? 2 : 1;
  }
  return bytes;
}

/** To be called when one was added. */
export function bound(onboard: Onboard, list: keyof typeof KEEP): void {
  const newest = onboard[list].at(-1);
  onboard.weights[list] += newest ? weigh(newest) : 0;
  while (onboard[list].length > KEEP[list] || onboard.weights[list] > MOST[list]) {
    const oldest = onboard[list].shift();
    if (!oldest) return;
    onboard.weights[list] -= weigh(oldest);
    onboard.dropped[list] += 1;
  }
}

/** Adds a line to the timeline; the same line again (a back-off, say) is folded into one that counts. */
export function tell(
  onboard: Onboard,
  now: number,
  event: TimelineLine['event'],
  { by, reason, detail }: Omit<TimelineLine, 'at' | 'event'> = {},
): void {
  const line: TimelineLine = { at: iso(now), event, by, reason, detail: detail && cleanText(detail) };
  const last = onboard.timeline.at(-1);
  if (
    event === 'not_sent' &&
    last?.event === event &&
    last.detail?.replace(/^(\d+) times, the last: /, '') === line.detail
  ) {
    const times = Number(/^(\d+) times/.exec(last.detail ?? '')?.[1] ?? 1) + 1;
    onboard.timeline[onboard.timeline.length - 1] = { ...line, detail: `${times} times, the last: ${line.detail}` };
    return;
  }
  onboard.timeline.push(line);
  bound(onboard, 'timeline');
}

export function rememberKey(onboard: Onboard, key: string, message: string): void {
  onboard.keys.push({ key, message });
  bound(onboard, 'keys');
}

export const lastEntry = (onboard: Onboard): LedgerEntry | undefined => onboard.ledger.at(-1);

/**
 * What an attempt came to, in the newest ledger line; one that is known to have taken effect stays as it is. What
 * never left, and what would say the same again (a key that is refused for days), gives way to what follows it.
 * The timeline counts them.
 */
export function settleEntry(onboard: Onboard, effect: Effect, now: number, facts: Partial<LedgerEntry>): void {
  const last = lastEntry(onboard);
  if (last?.effect !== effect || ['done', 'adopted', 'resolved'].includes(last.outcome)) return;
  const words = facts.words && cleanText(facts.words);
  onboard.weights.ledger += weigh({ words, ...(facts.onboard_id && { id: facts.onboard_id }) });
  Object.assign(last, facts, { settled_at: iso(now) }, words && { words });
  const before = onboard.ledger.at(-2);
  const isSame =
    before?.effect === effect && before.outcome === last.outcome && before.http_status === last.http_status;
  const didNothing = last.outcome === 'not_sent' || last.http_status === 401 || last.http_status === 403;
  const neverLeft = before?.effect === effect && before.outcome === 'not_sent' && before.http_status === undefined;
  if (!before || !(neverLeft || (isSame && didNothing))) return;
  onboard.weights.ledger -= weigh(before);
  onboard.ledger.splice(-2, 1);
}
