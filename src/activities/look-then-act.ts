import { LeadConduitError } from '../leadconduit/leadconduit-error';
import type { Look, SendPermit } from '../leadconduit/client';
import type { Effect } from '../onboard/lifecycle';
import type { Evidence } from '../onboard/evidence';
import { longestLag } from '../onboard/schedule';
import { attemptMsFor, FRESH_MS, RESERVE_MS } from '../onboard/time-budget';
import { Attempt, CALLED_BACK } from './attempt';
import type { Deps } from './deps';
import { incomplete, lookResultOf, outcomeOf } from './outcome-of-error';
import type { AttemptOutcome, LookResult, Outcome } from '../onboard/outcome';

/** If the list always takes longer than it stays fresh, this is the least time left for a slot and a connection. */
const LEAST_MS = FRESH_MS / 2;

export interface EffectInput {
  invitation_id: string;
  /** Only for a move. */
  onboard_id?: string;
  settle_ms: number;
  /** This run was made by a reset, so calls that its history does not show may have been sent. */
  is_reset: boolean;
  /** An earlier run for this invitation may have sent this call. */
  maybe_sent_before: boolean;
  /** The evidence for sending it all the same. A reset replays old approvals: one from another run does not count. */
  approval?: Evidence;
  /** The last attempt gave up because its look took too long. This one accepts a slow look. */
  takes_slow_look?: boolean;
  /** Onboards that the list showed once and that a person knows to be gone. */
  gone?: string[];
}

export type Act = (permit: SendPermit) => Promise<AttemptOutcome>;
type Decide = (look: Look) => AttemptOutcome | Act;

/** The only way to write to LeadConduit: decide by a fresh look, then act at once or not at all. */
export async function lookThenAct(deps: Deps, input: EffectInput, effect: Effect, decide: Decide): Promise<Outcome> {
  const { leadconduit, trust, reserveMs = RESERVE_MS } = deps;
  const attempt = new Attempt(leadconduit.timeoutMs + reserveMs);
  trust.forget(input.gone ?? []);
  // A look that is too old before the call can be sent is made again. From the second on, a slow look is accepted.
  let isSecond = input.takes_slow_look === true;
  let slowMs = 0;
  for (;;) {
    const look = await withErrors(() => leadconduit.look(attempt.sendUntil), lookResultOf);
    const act = 'kind' in look ? notSeen(look) : await ifTrusted(deps, input, look, decide(look));
    const objection = objectionOf(input, attempt, act);
    let became = objection ?? act;
    if (typeof became === 'function') {
      const usable = usableUntil(look as Look, isSecond);
      slowMs = isSecond || usable <= Date.now() ? tookMs(look as Look) : 0;
      const sent = usable <= Date.now() ? 'look again' : await send(deps, input, effect, attempt, usable, became);
      isSecond = true;
      if (sent === 'look again') continue;
      became = sent;
    }
    const isTooShort = isOutOfTime(became) && attempt.lengthMs < 2 * leadconduit.timeoutMs + reserveMs;
    return {
      ...became,
      evidence: { run_id: attempt.runId, is_reset: input.is_reset },
      ...(slowMs > LEAST_MS && { slow_look_ms: slowMs }),
      ...(isTooShort && { needs_ms: attemptMsFor(leadconduit.timeoutMs, reserveMs) }),
    };
  }
}

/** Epoch ms until which a write may rely on the look. LeadConduit may have read its data as soon as it was asked. */
const usableUntil = ({ sentAt, arrivedAt }: Look, isSecond: boolean) =>
  isSecond ? Math.max(sentAt + FRESH_MS, arrivedAt + LEAST_MS) : sentAt + FRESH_MS;
const tookMs = ({ sentAt, arrivedAt }: Look) => arrivedAt - sentAt;
const isOutOfTime = (became: AttemptOutcome) => became.kind === 'not_sent' && became.no_time === true;

/**
 * A list that lacks what it must show proves nothing. What it does show counts all the same, unless it may be an old state
 * of an onboard.
 */
async function ifTrusted(
  { trust }: Deps,
  { settle_ms, onboard_id }: EffectInput,
  look: Look,
  act: AttemptOutcome | Act,
): Promise<AttemptOutcome | Act> {
  const lacked = await trust.lackedBy(look, longestLag({ settle_ms }));
  const mustBeWhole = typeof act === 'function' || ('may_be_old' in act && act.may_be_old === true);
  if (mustBeWhole && lacked.length > 0) return incomplete(lacked);
  if (typeof act === 'function') return act;
  const others = lacked.filter((id) => id !== onboard_id?.toLowerCase());
  return act.kind === 'not_listed' && others.length > 0
    ? { ...act, words: `${act.words} ${incomplete(others).words}.` }
    : act;
}

/** If this call may have been sent before, only an effect that is listed counts: a missing one may be under way. */
function objectionOf(
  input: EffectInput,
  { wasTriedBefore, lengthMs, runId }: Attempt,
  act: AttemptOutcome | Act,
): AttemptOutcome | undefined {
  const unknown = (words: string): AttemptOutcome => ({ kind: 'unknown', words, may_send_for_ms: lengthMs });
  const isSeen = typeof act !== 'function' && act.kind === 'done';
  if (wasTriedBefore && !isSeen) return unknown('this attempt was made before and may have sent its call');
  const isUnapproved = (input.is_reset || input.maybe_sent_before) && input.approval?.run_id !== runId;
  if (isUnapproved && typeof act === 'function')
    return unknown(
      `${input.is_reset ? 'this run was reset in Temporal' : 'an earlier run followed this onboard'}, and may have sent this call before`,
    );
  return undefined;
}

/** @param until epoch ms. If no slot is free or no connection is open by then, the look is too old to act on. */
async function send(
  { writes }: Deps,
  { invitation_id, settle_ms }: EffectInput,
  effect: Effect,
  attempt: Attempt,
  until: number,
  act: Act,
): Promise<AttemptOutcome | 'look again'> {
  // There must be no await between this and `begin`, or two runs could both find the way free.
  const blockedMs = writes.blockedMs(invitation_id, attempt.runId);
  if (blockedMs > 0) {
    const words = "an earlier run's call for this invitation is still under way, or has only just ended";
    return { kind: 'not_sent', words, retry_after_ms: Math.min(blockedMs, settle_ms) };
  }

  const slotUntil = Math.min(until, attempt.sendUntil);
  // Opening a connection takes time, too. If it always takes longer, the attempt ends as too late.
  let isTooOld = false;
  const late = () => {
    isTooOld = Date.now() >= until;
    if (attempt.isTooLate) return 'too little time was left for a whole call';
    return isTooOld ? 'the look was too old by then' : undefined;
  };
  let isCalledBack = false;
  const gate = async () => {
    const tooLate = late();
    if (tooLate !== undefined) return tooLate;
    // The last question before the bytes leave: a hold or a cancel that comes after it is too late for this call.
    const objection = await attempt.objection();
    isCalledBack = objection === CALLED_BACK;
    return objection ?? late();
  };
  let became: AttemptOutcome | 'look again' | undefined;
  writes.begin(invitation_id, attempt.runId);
  try {
    became = await withErrors<AttemptOutcome, AttemptOutcome | 'look again'>(
      () => act({ slotUntil, gate }),
      (error) => {
        if (error.sent) return outcomeOf(error, effect);
        if (attempt.isTooLate) return { kind: 'not_sent', words: error.reason, no_time: true };
        if (isCalledBack) return { kind: 'not_sent', words: error.reason, called_back: true };
        return error.noSlot || isTooOld ? 'look again' : outcomeOf(error, effect);
      },
    );
    return became;
  } finally {
    const isUnsent = became === 'look again' || became?.kind === 'not_sent';
    writes.end(invitation_id, isUnsent ? 0 : settle_ms);
  }
}

/**
 * Returns the answer, or a LeadConduitError as a value. Any other exception is a bug: it is rethrown, and the workflow treats
 * the attempt as unknown.
 */
export async function withErrors<T, E>(
  call: () => Promise<T>,
  asValue: (error: LeadConduitError) => E,
): Promise<T | E> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof LeadConduitError) return asValue(error);
    throw error;
  }
}

function notSeen(look: Exclude<LookResult, { kind: 'seen' }>): AttemptOutcome {
  if (look.kind === 'credentials') return { ...look, at_look: true };
  const { retry_after_ms, no_time } = look;
  const words = `LeadConduit's list could not be read: ${look.words}`;
  return { kind: 'not_sent', words, retry_after_ms, unusable_look: !no_time, no_time };
}
