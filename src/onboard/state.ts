import type { OnboardRecord, SeenOnboard } from '../activities/outcomes';
import { EFFECTS, hasReached, isStatus, stepsBetween, type Effect, type Status } from './lifecycle';
import type { Attention, LedgerEntry, OnboardInput, Phase, Policy, TimelineLine } from '../workflows/messages';
import { needAttention } from './raise-attention';
import { bound, iso, lastEntry, tell } from './journal';
import { cleanLine, cleanText } from './text';

const DEFAULTS: Policy = {
  settle_ms: 60_000,
  attempt_ms: 60_000,
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
  /** The last attempt gave up since its look took too long. */
  takes_slow_look?: boolean;
}

/** A look for the onboard that a person wants; the attention that this answers comes back if none fits. */
export interface Adoption extends Watch {
  onboard_id?: string;
  answers: Attention;
}

/** A look that is not about an effect under way: did a second onboard appear, did the set-up fail, is it mended? */
export interface Check extends Watch {
  why: 'doubles' | 'confirm' | 'asked';
  /** Onboards of the invitation that a list has shown: one without them is older. */
  shown?: string[];
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
  /** The record's flow as our call set it, as people were shown it, or as it fits: our next call may write over it. */
  agreed_flow?: string | null;
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
  /** Onboards of the same invitation that the open attention shows to people. */
  shown: string[];
  /** Onboards of any invitation that LeadConduit's list lacks although it has shown them before. */
  lacked: string[];
  /** Those of them that a person knows to be gone. */
  gone: string[];
  ledger: LedgerEntry[];
  timeline: TimelineLine[];
  /** Of messages that were accepted, with what each asked for. */
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
  const onboard = blank(input, now);
  const { by, reason } = input;
  const detail = onboard.requested_flow_id && `for flow ${onboard.requested_flow_id}`;
  tell(onboard, now, 'started', { by: by && cleanLine(by), reason: reason && cleanText(reason), detail });
  return onboard;
}

export const blank = (input: OnboardInput, now: number): Onboard => ({
  invitation_id: input.invitation_id.toLowerCase(),
  label: input.label ? cleanLine(input.label) : undefined,
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
  shown: [],
  lacked: [],
  gone: [],
  ledger: [],
  timeline: [],
  keys: [],
  weights: { ledger: 0, timeline: 0, keys: 0 },
  dropped: { ledger: 0, timeline: 0, keys: 0 },
  attentions: 0,
  phase: 'creating',
  since: now,
});

export const flowOf = ({ record }: Onboard): string | null => record?.flow_id?.toLowerCase() ?? null;

/** Upper and lower case name the same onboard. */
export const sameId = (a: string | undefined, b: string | undefined) =>
  a !== undefined && a.toLowerCase() === b?.toLowerCase();

/** Notes in the ledger that an attempt is about to be made. */
export function intend(onboard: Onboard, effect: Effect, now: number): void {
  const entry: LedgerEntry = { n: (lastEntry(onboard)?.n ?? 0) + 1, effect, intended_at: iso(now), outcome: 'pending' };
  onboard.ledger.push(entry);
  bound(onboard, 'ledger');
  const pursuit = onboard.pursuit?.effect === effect ? onboard.pursuit : newPursuit(effect, now);
  onboard.pursuit = { ...pursuit, stage: 'out', flow: onboard.requested_flow_id };
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

/**
 * Takes an onboard as LeadConduit shows it. It may be further on than we asked; `failed`, words that are not ours, and a
 * status before one that was proven are for a person: what leads up to that one is never sent again by itself.
 */
export function take(onboard: Onboard, seen: SeenOnboard, now: number): void {
  const { furthest } = onboard;
  const shown = cleanLine(seen.status);
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
