import type { Attention } from './attention';
import type { Evidence } from './evidence';
import { DEFAULT_POLICY, type OnboardInput, type Policy } from './input';
import { emptyJournal, log, logIntent, type Journal } from './journal';
import { EFFECT_NAMES, isStatus, nextMove, type Effect, type Status } from './lifecycle';
import type { OnboardRecord } from './outcome';
import { scheduledAt, type Schedule } from './schedule';
import { cleanLine, cleanText } from './text';
import type { Phase } from './view';

/** A look that is made again if its list is older than what is known. */
export interface RepeatedLook extends Schedule {
  /** Looks in a row whose list was older than that. */
  old_looks?: number;
}

/** The effect that is worked on. `due`: its call is made at `at`. `unknown`: a look at `at` shows if it took effect. */
export interface Operation extends RepeatedLook {
  effect: Effect;
  stage: 'due' | 'in_flight' | 'unknown';
  /** Calls that may have reached LeadConduit. */
  possible_sends: number;
  /** The evidence for sending a call that may have been sent before: shown to a person, or three looks without it. */
  approval?: Evidence;
  /**
   * Epoch ms. After an unknown outcome: when that attempt can no longer send. After an "already exists" or a refused
   * key: when the list must show the effect, if there is one. Nothing is sent before.
   */
  absence_counts_from: number;
  /** After an unknown outcome: how many looks proved that the effect is missing. */
  looks_without_it: number;
  /** The call was sent once more after three such looks. Only a person can order it again. */
  repeated: boolean;
  /** Epoch ms: since when the list has not shown the record as it must be. */
  missing_since?: number;
  /** The flow that the latest attempt was made with. */
  flow?: string;
  /** The flows of all creates that may have worked. */
  posted_flows?: string[];
  /** A refusal that may mean "already exists". It raises attention unless the look right after it finds the effect. */
  refusal?: string;
  /** The last attempt gave up because its look took too long. The next one accepts a slow look. */
  takes_slow_look?: boolean;
}

/** A look for the onboard that a person wants. If none fits, the attention that the person answered is raised again. */
export interface Adoption extends RepeatedLook {
  onboard_id?: string;
  answers: Attention;
}

/** A look that is not about a call under way: for a second onboard, for a failed set-up, or because somebody asked. */
export interface Check extends RepeatedLook {
  why: 'doubles' | 'confirm' | 'asked';
  /** Onboards of the invitation that a list has shown. A list without them is older, and they count without it. */
  listed?: string[];
  /** Onboards that a person was shown, and may know to be gone: they count no longer once several lists lack them. */
  offered?: string[];
  /** The check that waits until this one is done. */
  next?: Check;
}

/**
 * Everything that is known of an onboard: plain data, carried from run to run. The rules change nothing but this state
 * and read no clock, so thousands of cases are tested without a server. Times are epoch ms.
 */
export interface OnboardState extends Journal {
  invitation_id: string;
  label?: string;
  policy: Policy;
  /** The flow that people asked for. */
  requested_flow_id?: string;
  /** Nothing is sent before this time. */
  not_before: number;
  /** Calls that an earlier run may have made. Of these, a create or a completing call needs a person's order. */
  maybe_sent_before: Effect[];
  /** The evidence of the latest outcome or look. */
  evidence?: Evidence;
  record: OnboardRecord | null;
  /** The record's flow, if our next call may replace it: our call set it, a person saw it, or it did not conflict. */
  agreed_flow?: string | null;
  status: string | null;
  /** The furthest status that was proven or confirmed by a person. No call that only leads up to it is sent again. */
  furthest?: Status;
  origin?: 'created' | 'adopted';
  /** The status that people have asked for. */
  target: Status;
  held: boolean;
  cancelling: boolean;
  ended?: 'done' | 'cancelled';
  operation?: Operation;
  adoption?: Adoption;
  check?: Check;
  /** The open attention, with the evidence that raised it. */
  attention?: Attention & { evidence?: Evidence };
  /** How many attentions there have been. */
  attentions: number;
  /** Onboards of the same invitation that a person has ruled out. */
  ruled_out: string[];
  /** Onboards of the same invitation that the open attention shows to people. */
  offered: string[];
  /** Onboards of any invitation that LeadConduit's list lacks although it must show them. */
  lacked: string[];
  /** Onboards of any invitation that people know to be gone from LeadConduit. */
  gone: string[];
  phase: Phase;
  /** When its phase began. */
  since: number;
}

/** @param input has passed `inputProblem` */
export function begin(input: OnboardInput, now: number): OnboardState {
  const onboard = blank(input, now);
  const { by, reason } = input;
  const detail = onboard.requested_flow_id && `for flow ${onboard.requested_flow_id}`;
  log(onboard, now, 'started', { by: by && cleanLine(by), reason: reason && cleanText(reason), detail });
  return onboard;
}

export const blank = (input: OnboardInput, now: number): OnboardState => ({
  ...emptyJournal(),
  invitation_id: input.invitation_id.toLowerCase(),
  label: input.label ? cleanLine(input.label) : undefined,
  policy: { ...DEFAULT_POLICY, ...input.policy },
  requested_flow_id: input.flow_id?.toLowerCase(),
  not_before: input.not_before ? Date.parse(input.not_before) : 0,
  maybe_sent_before: input.maybe_sent_before ?? (input.not_before == null ? [] : [...EFFECT_NAMES]),
  record: null,
  status: null,
  target: 'created',
  held: false,
  cancelling: false,
  attentions: 0,
  ruled_out: [],
  offered: [],
  lacked: [],
  gone: [],
  phase: 'creating',
  since: now,
});

/** Notes which run an outcome or a look comes from. After a reset, every call may have been sent before. */
export function heard(onboard: OnboardState, evidence: Evidence | undefined): void {
  if (evidence) onboard.evidence = evidence;
  if (evidence?.is_reset) onboard.maybe_sent_before = [...EFFECT_NAMES];
}

/** Notes that an attempt at an effect is about to be made. */
export function intend(onboard: OnboardState, effect: Effect, now: number): void {
  logIntent(onboard, effect, now);
  const operation = onboard.operation?.effect === effect ? onboard.operation : newOperation(effect, now);
  onboard.operation = { ...operation, stage: 'in_flight', flow: onboard.requested_flow_id };
}

export const newOperation = (effect: Effect, at: number): Operation => ({
  ...scheduledAt(at),
  effect,
  stage: 'due',
  possible_sends: 0,
  absence_counts_from: at,
  looks_without_it: 0,
  repeated: false,
});

/** The effect that comes next on the way to the target, if anything is left to do; never one that was reached before. */
export function nextEffect({ record, status, furthest, target }: OnboardState): Effect | undefined {
  if (record === null) return 'create';
  return isStatus(status) ? nextMove(furthest ?? status, target) : undefined;
}

/** Lengthens the attempts of a run that was started under another configuration. @returns whether they were too short */
export function lengthenAttempts({ policy }: OnboardState, needs_ms: number | undefined): boolean {
  if (needs_ms === undefined || needs_ms <= policy.attempt_ms) return false;
  policy.attempt_ms = needs_ms;
  return true;
}

/**
 * Asks for a look. A check that is already scheduled follows it. A look that was asked for already goes on counting what it
 * could not use: whoever asks often would else keep the onboard from ever getting on.
 */
export function lookNow(onboard: OnboardState, now: number, shown: Pick<Check, 'listed' | 'offered'> = {}): void {
  const { check } = onboard;
  const asked = check?.why === 'asked' ? check : undefined;
  const both = (one: string[] = [], other: string[] = []) =>
    one.length + other.length > 0 ? [...new Set([...one, ...other])] : undefined;
  onboard.check = {
    ...(asked ?? scheduledAt(now)),
    at: now,
    why: 'asked',
    listed: both(check?.listed, shown.listed),
    offered: both(check?.offered, shown.offered),
    next: asked ? asked.next : check,
  };
}
