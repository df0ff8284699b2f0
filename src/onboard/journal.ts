/** What is kept of what happened: a ledger of calls, a timeline for people, the keys of messages. Each is bounded, and counts what it drops. */
import type { Effect } from './lifecycle';
import { cleanText } from './text';

/** Everything that a line of the timeline can be about, and what people read there. */
export const EVENTS = {
  started: 'started',
  /** Continued as new, because the history was long. */
  continued: 'went on in a new run',
  /** Counts what was dropped because it was oldest. */
  dropped: 'older lines dropped',
  created: 'created in LeadConduit',
  adopted: 'found in LeadConduit and taken over',
  /** A status reached upstream. */
  moved: 'moved',
  /** A call that certainly did nothing; it is tried again. */
  not_sent: 'not sent',
  refused: 'LeadConduit refused',
  /** A call that may have worked. */
  unknown: 'outcome unknown',
  /** A look after an unknown outcome did not show the effect. */
  absent: 'not there',
  /** What others did while LeadConduit's list took so long may be missing from it. */
  slow_look: 'the look was slow',
  /** Sent once more after three absences. */
  repeated: 'repeated',
  /** A later look found all in order. */
  checked: 'checked',
  attention: 'needs attention',
  attention_cleared: 'attention cleared',
  look_asked: 'asked to look',
  advance_asked: 'asked to advance',
  flow_set: 'flow set',
  resolved: 'decided',
  held: 'held',
  released: 'released',
  cancel_asked: 'asked to cancel',
  note: 'note',
  message_refused: 'message refused',
  done: 'done',
  cancelled: 'cancelled',
} as const;
export type TimelineEvent = keyof typeof EVENTS;
export const EVENT_NAMES = Object.keys(EVENTS) as [TimelineEvent, ...TimelineEvent[]];

export interface TimelineLine {
  /** RFC 3339. */
  at: string;
  event: TimelineEvent;
  by?: string;
  reason?: string;
  detail?: string;
}

/** What can have become of a call, and what people read about it. */
export const OUTCOMES = {
  pending: 'no answer yet',
  done: 'landed',
  not_sent: 'not sent',
  refused: 'refused',
  unknown: 'UNKNOWN',
  /** Found in LeadConduit's list. */
  adopted: 'landed',
  /** Somebody says that it took effect. */
  resolved: 'landed',
} as const;
export type LedgerOutcome = keyof typeof OUTCOMES;
export const OUTCOME_NAMES = Object.keys(OUTCOMES) as [LedgerOutcome, ...LedgerOutcome[]];

/** One call that was to be made, even if it turned out not to be needed. Times are RFC 3339. */
export interface LedgerEntry {
  n: number;
  effect: Effect;
  intended_at: string;
  outcome: LedgerOutcome;
  settled_at?: string;
  onboard_id?: string;
  http_status?: number;
  words?: string;
}

export interface Journal {
  ledger: LedgerEntry[];
  timeline: TimelineLine[];
  /** The keys of accepted messages, each with the gist of its message. */
  keys: { key: string; message: string }[];
  /** How many of each were dropped, oldest first, to stay small enough for a new run. */
  dropped: Record<List, number>;
  /** Roughly how many bytes each of them takes. */
  weights: Record<List, number>;
}
type List = 'ledger' | 'timeline' | 'keys';

export const emptyJournal = (): Journal => ({
  ledger: [],
  timeline: [],
  keys: [],
  dropped: { ledger: 0, timeline: 0, keys: 0 },
  weights: { ledger: 0, timeline: 0, keys: 0 },
});

const KEEP: Record<List, number> = { ledger: 200, timeline: 500, keys: 1_000 };
/** In bytes. With a record of at most 256 kB, the state stays well below the limit of one payload. */
const MOST: Record<List, number> = { ledger: 300_000, timeline: 700_000, keys: 200_000 };

export const iso = (ms: number) => new Date(ms).toISOString();

/** An upper bound of the bytes as JSON in UTF-8: two for an escaped character, six for a control or non-ASCII one. */
export function weigh(item: object): number {
  let bytes = 2;
  for (const [name, value] of Object.entries(item)) {
    bytes += name.length + 6;
    for (const character of String(value))
      bytes += character < ' ' || character > '\u007e' ? 6 : character === '"' || character === '\\' ? 2 : 1;
  }
  return bytes;
}

/** Drops the oldest beyond the limits. Call it after adding one. */
function bound(journal: Journal, list: List): void {
  const newest = journal[list].at(-1);
  journal.weights[list] += newest ? weigh(newest) : 0;
  while (journal[list].length > KEEP[list] || journal.weights[list] > MOST[list]) {
    const oldest = journal[list].shift();
    if (!oldest) return;
    journal.weights[list] -= weigh(oldest);
    journal.dropped[list] += 1;
  }
}

/** Adds a line to the timeline. A `not_sent` that repeats the last line replaces it and counts the repetitions. */
export function log(
  journal: Journal,
  now: number,
  event: TimelineEvent,
  { by, reason, detail }: Omit<TimelineLine, 'at' | 'event'> = {},
): void {
  const line: TimelineLine = { at: iso(now), event, by, reason, detail: detail && cleanText(detail) };
  const last = journal.timeline.at(-1);
  if (
    event === 'not_sent' &&
    last?.event === event &&
    last.detail?.replace(/^(\d+) times, the last: /, '') === line.detail
  ) {
    const times = Number(/^(\d+) times/.exec(last.detail ?? '')?.[1] ?? 1) + 1;
    journal.weights.timeline -= weigh(last);
    journal.timeline.pop();
    line.detail = `${times} times, the last: ${line.detail}`;
  }
  journal.timeline.push(line);
  bound(journal, 'timeline');
}

export function rememberKey(journal: Journal, key: string, message: string): void {
  journal.keys.push({ key, message });
  bound(journal, 'keys');
}

export const lastEntry = (journal: Journal): LedgerEntry | undefined => journal.ledger.at(-1);

/** Notes that an attempt is about to be made. */
export function logIntent(journal: Journal, effect: Effect, now: number): void {
  const n = (lastEntry(journal)?.n ?? 0) + 1;
  journal.ledger.push({ n, effect, intended_at: iso(now), outcome: 'pending' });
  bound(journal, 'ledger');
}

/**
 * Writes what an attempt came to into the newest ledger line, unless its call is known to have taken effect. The line
 * before it is removed if its call never left, or if it says the same (a key that is refused for days). The timeline
 * counts the calls that were not sent.
 */
export function settleEntry(journal: Journal, effect: Effect, now: number, facts: Partial<LedgerEntry>): void {
  const last = lastEntry(journal);
  if (last?.effect !== effect || ['done', 'adopted', 'resolved'].includes(last.outcome)) return;
  const words = facts.words && cleanText(facts.words);
  journal.weights.ledger -= weigh(last);
  Object.assign(last, facts, { settled_at: iso(now) }, words && { words });
  journal.weights.ledger += weigh(last);
  const before = journal.ledger.at(-2);
  const isSame =
    before?.effect === effect && before.outcome === last.outcome && before.http_status === last.http_status;
  const didNothing = last.outcome === 'not_sent' || last.http_status === 401 || last.http_status === 403;
  const neverLeft = before?.effect === effect && before.outcome === 'not_sent' && before.http_status === undefined;
  if (!before || !(neverLeft || (isSame && didNothing))) return;
  journal.weights.ledger -= weigh(before);
  journal.ledger.splice(-2, 1);
}
