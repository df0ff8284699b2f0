import { LeadConduitError } from '../leadconduit/errors';
import type { Look, SendPermit } from '../leadconduit/client';
import type { Effect } from '../workflows/lifecycle';
import { Attempt, RESERVE_MS } from './attempt';
import type { Deps } from './index';
import { lookResultOf, outcomeOf, type Became, type LookResult, type Outcome } from './outcomes';

/** How long after its arrival an answer to a look may be relied on by a write. */
const FRESH_MS = 5_000;

export interface EffectInput {
  invitation_id: string;
  settle_ms: number;
  /** One call's whole life at most. */
  call_ms: number;
  /** This run was reset: what it knows nothing of may have been sent meanwhile. */
  is_reset: boolean;
  /** An earlier run for this invitation may have sent what this one knows nothing of. */
  is_doubtful: boolean;
  /** The run in which it was cleared to act in spite of that. A reset plays an old clearance again: it does not count. */
  cleared_in?: string;
}

export type Act = (permit: SendPermit) => Promise<Became>;
type Decide = (look: Look) => Became | Act;

/** The one way in which anything is written upstream: decide by a fresh look, then act at once or not at all. */
export async function lookThenAct(deps: Deps, input: EffectInput, effect: Effect, decide: Decide): Promise<Outcome> {
  const attempt = new Attempt(input.call_ms + (deps.reserveMs ?? RESERVE_MS));
  for (;;) {
    const look = await withErrors(() => deps.leadconduit.look(attempt.sendUntil), lookResultOf);
    const act = 'kind' in look ? notSeen(look) : decide(look);
    const became =
      objectionOf(input, attempt, act) ??
      (typeof act === 'function' ? await send(deps, input, effect, attempt, look as Look, act) : act);
    if (became !== 'stale') return { ...became, ran_in: attempt.runId, after_reset: input.is_reset };
  }
}

/** Where this call may have been sent before, only what is seen counts: what is not there may be under way. */
function objectionOf(
  input: EffectInput,
  { hasEarlierRun, lengthMs, runId }: Attempt,
  act: Became | Act,
): Became | undefined {
  const unknown = (words: string): Became => ({ kind: 'unknown', words, may_send_for_ms: lengthMs });
  const isSeen = typeof act !== 'function' && act.kind === 'done';
  if (hasEarlierRun && !isSeen) return unknown('this attempt was made before and may have sent its call');
  const isUncleared = (input.is_reset || input.is_doubtful) && input.cleared_in !== runId;
  if (isUncleared && typeof act === 'function')
    return unknown(
      `${input.is_reset ? 'this run was reset in Temporal' : 'an earlier run followed this onboard'}, and may have sent this call before`,
    );
  return undefined;
}

/** @returns `stale` when no place was free, or no connection open, while the look was fresh: look again. */
async function send(
  { writes }: Deps,
  { invitation_id, settle_ms, call_ms }: EffectInput,
  effect: Effect,
  attempt: Attempt,
  look: Look,
  act: Act,
): Promise<Became | 'stale'> {
  const objection = await attempt.objection();
  if (objection !== undefined) return { kind: 'not_sent', words: objection };
  // In one go with `begin`, or two runs could both find the way free.
  const blockedMs = writes.blockedMs(invitation_id, attempt.runId);
  if (blockedMs > 0) {
    const words = 'a call of an earlier run for this invitation is under way, or was made just now';
    return { kind: 'not_sent', words, retry_after_ms: Math.min(blockedMs, settle_ms) };
  }

  const staleAt = look.arrivedAt + FRESH_MS;
  const placeUntil = Math.min(staleAt, attempt.sendUntil);
  const late = () => (attempt.isTooLate ? 'too little time was left for a whole call' : undefined);
  // A connection takes its time, too. Where it always takes longer, the attempt ends as too late.
  let isStale = false;
  const gate = () => {
    isStale = Date.now() >= staleAt;
    return late() ?? (isStale ? 'the look was too old by then' : undefined);
  };
  let became: Became | 'stale' | undefined;
  writes.begin(invitation_id, attempt.runId);
  try {
    became = await withErrors<Became, Became | 'stale'>(
      () => act({ placeUntil, gate, timeoutMs: call_ms }),
      (error) => ((error.noPlace || isStale) && !attempt.isTooLate ? 'stale' : outcomeOf(error, effect)),
    );
    return became;
  } finally {
    const isUnsent = became === 'stale' || became?.kind === 'not_sent';
    writes.end(invitation_id, isUnsent ? 0 : settle_ms);
  }
}

/** Answers, and failures of the LeadConduit client as values; anything else is a bug and goes up as it is: unknown. */
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

function notSeen(look: Exclude<LookResult, { kind: 'seen' }>): Became {
  if (look.kind === 'credentials') return { ...look, at_look: true };
  const words = `LeadConduit could not be looked at: ${look.words}`;
  return { kind: 'not_sent', words, retry_after_ms: look.retry_after_ms, unusable_look: !look.no_time };
}
