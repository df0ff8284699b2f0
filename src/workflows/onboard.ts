import type { OnboardRecord, SeenOnboard } from '../activities/outcomes';
import { EFFECTS, hasReached, isStatus, stepsBetween, type Effect, type Status } from './lifecycle';
import type { Attention, AttentionCode, LedgerEntry, OnboardInput, Phase, Policy, TimelineLine } from './messages';

const DEFAULTS: Policy = {
  settle_ms: 60_000,
  attempt_ms: 60_000,
  call_ms: 15_000,
  confirm_ms: 120_000,
  backoff_ms: 1_000,
  credentials_backoff_ms: 15_000,
};

/** Something to be done at a time (ms since the epoch, as all times in here), again and again until it comes off. */
export interface Watch {
  at: number;
  /** In a row: attempts not sent, refused keys. */
  failures: number;
  /** Looks that told nothing, in a row. */
  unusable: number;
}

/** Where the effect that is being pursued stands: at `at` it is acted on (`due`) or looked for (`unknown`). */
export interface Pursuit extends Watch {
  effect: Effect;
  stage: 'due' | 'out' | 'unknown';
  /** Acts that may have reached LeadConduit. */
  acts: number;
  /** Where an earlier run may have acted: the run in which the act that is due was cleared all the same. */
  cleared_in?: string;
  /** After an unknown: from when its attempt can surely not send any more. After "it exists": from when it is listed. */
  clear_at: number;
  /** After an unknown: how many looks proved that its effect is not there. */
  absences: number;
  /** It was acted on once more after three absences; not again without a person. */
  repeated: boolean;
  /** Since when the record is missing from the list. */
  missing_since?: number;
  /** The flow that the attempt was made with; of attempts to create that may have worked, all of them. */
  flow?: string;
  posted_flows?: string[];
  /** A refusal that may mean "it exists": attention, unless the look at once finds the effect. */
  refusal?: string;
}

/** A look for the onboard that a person wants; the attention that this answers comes back if none fits. */
export interface Adoption extends Watch {
  onboard_id?: string;
  answers: Attention;
}

/** A look that is not about an effect under way: did a second onboard appear, did the set-up fail, is it mended? */
export interface Check extends Watch {
  why: 'doubles' | 'confirm' | 'asked';
  /** The attention that `asked` answers. */
  asked?: AttentionCode;
  /** The check that waits until this one is done. */
  next?: Check;
}

/**
 * Everything that is known of an onboard: plain data, carried from run to run. The functions around it change only
 * what they are given and read no clock, so that they can be tested by the thousand without a server.
 */
export interface Onboard {
  invitation_id: string;
  label?: string;
  policy: Policy;
  /** The flow that people asked for. */
  requested_flow_id?: string;
  not_before: number;
  /** Calls that an earlier run may have made: a create or a completion that is not there needs a person's order. */
  doubts: Effect[];
  /** The run in which the latest outcome or look was made; after a reset, an inherited one names another. */
  heard_in?: string;
  record: OnboardRecord | null;
  status: string | null;
  /** The furthest status that was proven: nothing is ever sent again that would only lead up to it. */
  furthest?: Status;
  origin?: 'created' | 'adopted';
  /** As far as people asked it to go. */
  target: Status;
  held: boolean;
  cancelling: boolean;
  ended?: 'done' | 'cancelled';
  pursuit?: Pursuit;
  adoption?: Adoption;
  check?: Check;
  attention?: Attention;
  /** The run whose outcome or look raised it. */
  raised_in?: string;
  /** Onboards of the same invitation that a person has ruled out. */
  ruled_out: string[];
  ledger: LedgerEntry[];
  timeline: TimelineLine[];
  keys: { key: string; message: string }[];
  /** How many of each were dropped, oldest first, to stay small enough for a new run. */
  dropped: { ledger: number; timeline: number; keys: number };
  /** Of each, about the bytes that it takes. */
  weights: { ledger: number; timeline: number; keys: number };
  attentions: number;
  phase: Phase;
  since: number;
}

export function begin(input: OnboardInput, now: number): Onboard {
  const onboard: Onboard = {
    invitation_id: input.invitation_id.toLowerCase(),
    label: input.label ? cut(input.label, NAME) : undefined,
    policy: { ...DEFAULTS, ...input.policy },
    requested_flow_id: input.flow_id?.toLowerCase(),
    not_before: input.not_before ? Date.parse(input.not_before) : 0,
    doubts: input.doubts ?? (input.not_before == null ? [] : [...EFFECTS]),
    record: null,
    status: null,
    target: 'created',
    held: false,
    cancelling: false,
    ruled_out: [],
    ledger: [],
    timeline: [],
    keys: [],
    weights: { ledger: 0, timeline: 0, keys: 0 },
    dropped: { ledger: 0, timeline: 0, keys: 0 },
    attentions: 0,
    phase: 'creating',
    since: now,
  };
  const { by, reason } = input;
  const detail = onboard.requested_flow_id && `for flow ${onboard.requested_flow_id}`;
  tell(onboard, now, 'started', { by: by && cut(by, NAME), reason: reason && cut(reason, TEXT), detail });
  return onboard;
}

/** Text from outside is cut on entry: a state of over 2 MB could never be carried into a new run. */
export const TEXT = 2_000;
export const NAME = 200;
const KEEP = { ledger: 200, timeline: 500, keys: 1_000 } as const;
/** In bytes; with a record of 256 kB at most this stays well below what one payload may be. */
const MOST = { ledger: 300_000, timeline: 700_000, keys: 200_000 } as const;

export const cut = (text: string, length: number) => (text.length <= length ? text : `${text.slice(0, length - 1)}…`);
export const iso = (ms: number) => new Date(ms).toISOString();

/** At most what it takes as JSON in UTF-8: six bytes for a control character, three for one beyond Latin. */
function weigh(item: object): number {
  let bytes = 2;
  for (const [name, value] of Object.entries(item)) {
    bytes += name.length + 6;
    for (const character of String(value)) bytes += character < ' ' ? 6 : character < '\u0080' ? 1 : 6;
  }
  return bytes;
}

function bound(onboard: Onboard, list: keyof typeof KEEP): void {
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
  const line: TimelineLine = { at: iso(now), event, by, reason, detail: detail && cut(detail, TEXT) };
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

/** Notes in the ledger that an attempt is about to be made. */
export function intend(onboard: Onboard, effect: Effect, now: number): void {
  const entry: LedgerEntry = { n: (lastEntry(onboard)?.n ?? 0) + 1, effect, intended_at: iso(now), outcome: 'pending' };
  onboard.ledger.push(entry);
  bound(onboard, 'ledger');
  const pursuit = onboard.pursuit?.effect === effect ? onboard.pursuit : newPursuit(effect, now);
  onboard.pursuit = { ...pursuit, stage: 'out', flow: onboard.requested_flow_id };
}

/**
 * What an attempt came to, in the newest ledger line; one that is known to have taken effect stays as it is. What
 * never left, and what would say the same again (a key that is refused for days), gives way to what follows it.
 * The timeline counts them.
 */
export function settleEntry(onboard: Onboard, effect: Effect, now: number, facts: Partial<LedgerEntry>): void {
  const last = lastEntry(onboard);
  if (last?.effect !== effect || ['done', 'adopted', 'resolved'].includes(last.outcome)) return;
  const words = facts.words && cut(facts.words, TEXT);
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

export const newPursuit = (effect: Effect, at: number): Pursuit => ({
  effect,
  stage: 'due',
  at,
  acts: 0,
  failures: 0,
  unusable: 0,
  clear_at: at,
  absences: 0,
  repeated: false,
});

/** The effect that comes next on the way to the target, if anything is left to do; never one that was reached before. */
export function nextEffect({ record, status, furthest, target }: Onboard): Effect | undefined {
  if (record === null) return 'create';
  return isStatus(status) ? stepsBetween(furthest ?? status, target)[0] : undefined;
}

/** Attention that a look or a good key clears by itself; everything else waits for a person. */
const CLEARS_ITSELF: readonly AttentionCode[] = ['credentials', 'absence_unproven', 'list_unreadable'];
export const needsPerson = (onboard: Onboard) =>
  onboard.attention !== undefined && !CLEARS_ITSELF.includes(onboard.attention.code);

export function needAttention(onboard: Onboard, now: number, code: AttentionCode, message: string): void {
  if (onboard.attention?.code === code && !needsPerson(onboard)) return;
  onboard.attentions += 1;
  // With the time: an answer to a question of an earlier run must not pass for one to this.
  const id = `a${onboard.attentions}-${Math.floor(now / 1_000).toString(36)}`;
  onboard.attention = { id, code, message: cut(message, TEXT), since: iso(now) };
  onboard.raised_in = onboard.heard_in;
  tell(onboard, now, 'attention', { detail: `${code}: ${message}` });
}

export function clearAttention(onboard: Onboard, now: number, ...codes: AttentionCode[]): void {
  if (!onboard.attention || (codes.length > 0 && !codes.includes(onboard.attention.code))) return;
  tell(onboard, now, 'attention_cleared', { detail: onboard.attention.code });
  onboard.attention = undefined;
}

/**
 * Takes an onboard as LeadConduit shows it. It may be further on than we asked; `failed`, words that are not ours, and a
 * status before one that was proven are for a person: what leads up to that one is never sent again by itself.
 */
export function take(onboard: Onboard, seen: SeenOnboard, now: number): void {
  const { furthest } = onboard;
  const shown = cut(seen.status, NAME);
  onboard.record = seen.record;
  onboard.status = seen.status;
  if (seen.status === 'failed')
    needAttention(onboard, now, 'failed_upstream', 'LeadConduit says that the set-up of this onboard failed.');
  else if (!isStatus(seen.status))
    needAttention(
      onboard,
      now,
      'unexpected_status',
      `LeadConduit shows the status "${shown}", which is not one that we know.`,
    );
  else if (furthest && !hasReached(seen.status, furthest))
    needAttention(
      onboard,
      now,
      'unexpected_status',
      `LeadConduit shows the status "${shown}", but ${furthest} was reached before.`,
    );
  else onboard.furthest = seen.status;
}
