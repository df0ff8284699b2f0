import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  proxyActivities,
  TimeoutFailure,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities';
import { sameId } from '../onboard/ids';
import { lastEntry } from '../onboard/journal';
import { EFFECTS, hasReached, type Effect } from '../onboard/lifecycle';
import type { LookFor, Step } from '../onboard/next-step';
import type { LookResult, Outcome } from '../onboard/outcome';
import { parseLookResult, parseOutcome } from '../onboard/parse-outcome';
import type { OnboardState } from '../onboard/state';
import { LOOK_HEARTBEAT_MS } from '../onboard/time-budget';

/**
 * Effects: one attempt each. Only the workflow may decide to try again, after looking. A cancelled attempt is waited
 * for: otherwise its outcome would be lost, and the call could still take effect.
 */
const effects = ({ policy }: OnboardState, effect: Effect) =>
  proxyActivities<Activities>({
    summary: capital(EFFECTS[effect].doing),
    startToCloseTimeout: policy.attempt_ms,
    retry: { maximumAttempts: 1 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    priority: { priorityKey: FIRST },
  });

/** Looks: they change nothing, so Temporal may retry them. After three failures, the error is reported. */
const looks = ({ policy }: OnboardState, about: LookFor) =>
  proxyActivities<Activities>({
    summary: LOOKING[about],
    startToCloseTimeout: policy.attempt_ms,
    heartbeatTimeout: LOOK_HEARTBEAT_MS,
    retry: { initialInterval: 1_000, maximumAttempts: 3 },
    priority: { priorityKey: LAST },
  });

/** Priorities of tasks: the lowest number is first, and Temporal's default is 3. Looks must not delay calls. */
const FIRST = 2;
const LAST = 4;

/** Summaries: Temporal's web page shows them beside activities and timers, so that its timeline reads as the story. */
const LOOKING: Record<LookFor, string> = {
  adoption: 'Looking for the onboard that somebody wants to adopt',
  check: 'Looking whether all is in order at LeadConduit',
  effect: 'Looking whether the call took effect',
  health: 'Looking whether the key and the list work again',
};
const capital = (words: string) => words.charAt(0).toUpperCase() + words.slice(1);
export const summaryOf = (step: Extract<Step, { at: number }>): string =>
  step.do === 'act'
    ? `Until the next try at ${EFFECTS[step.effect].doing}`
    : "Until the next look at LeadConduit's list";

/** Whether a reset made this run: what the original run did after the point of the reset is not in its history. */
export const isReset = (): boolean => {
  const { runId, originalExecutionRunId } = workflowInfo();
  return runId !== originalExecutionRunId;
};

/**
 * Makes one attempt at an effect. If no outcome comes back, the call may have taken effect, or may still do so. If the
 * surrounding scope is cancelled, a call that has not been sent is called back, and one that has is waited for.
 */
export async function attempt(onboard: OnboardState, effect: Effect): Promise<Outcome> {
  const { invitation_id, requested_flow_id: flow_id, ruled_out, gone, policy } = onboard;
  const { operation, record, furthest, agreed_flow } = onboard;
  const input = {
    ...{ invitation_id, flow_id, ruled_out, gone, settle_ms: policy.settle_ms },
    is_reset: isReset(),
    maybe_sent_before: onboard.maybe_sent_before.includes(effect),
    approval: operation?.approval,
    takes_slow_look: operation?.takes_slow_look,
  };
  const lost = (words: string): Outcome => ({ kind: 'unknown', words, may_send_for_ms: policy.attempt_ms });
  try {
    const { createOnboard, moveOnboard } = effects(onboard, effect);
    const outcome =
      effect === 'create'
        ? await createOnboard(input)
        : await moveOnboard({
            ...input,
            onboard_id: record?.id ?? '',
            to: effect,
            furthest,
            known: { flow_id: agreed_flow, updated_at: record?.updated_at },
          });
    const read = parseOutcome(outcome);
    return read && isAbout(onboard, effect, read) ? read : lost('the outcome cannot be read');
  } catch (error) {
    if (isCancellation(error)) return isUnstarted(onboard) ? NOT_STARTED : lost('it was cancelled in Temporal');
    if (!(error instanceof ActivityFailure)) throw error;
    return lost(whyLost(error.cause));
  }
}

const NOT_STARTED: Outcome = {
  kind: 'not_sent',
  words: 'it was called back before any worker started it',
  called_back: true,
};

/**
 * Temporal cancels an activity at once if no worker has it: none has taken it yet, or its worker was lost and somebody
 * made it run again by hand. Temporal notices a lost worker only when the attempt times out: a cancel before that means
 * that none has taken it.
 */
const isUnstarted = (onboard: OnboardState): boolean => {
  const { intended_at } = lastEntry(onboard) ?? {};
  return intended_at !== undefined && Date.now() - Date.parse(intended_at) < onboard.policy.attempt_ms;
};

/** Whether the outcome is about this onboard and this effect. Another one says nothing about them. */
function isAbout({ invitation_id, record }: OnboardState, effect: Effect, outcome: Outcome): boolean {
  if (outcome.kind === 'duplicate') return outcome.onboard_ids.length > 1;
  if (!('seen' in outcome)) return true;
  if (outcome.kind === 'done' && effect !== 'create' && !hasReached(outcome.seen.status, EFFECTS[effect].reaches))
    return false;
  const { seen } = outcome;
  return sameId(seen.record.invitation_id, invitation_id) && (record === null || sameId(seen.record.id, record.id));
}

function whyLost(cause: unknown): string {
  if (cause instanceof TimeoutFailure) return 'the worker that made the call stopped responding';
  if (cause instanceof ApplicationFailure) return `the attempt failed: ${cause.message}`;
  return 'the attempt ended without an outcome';
}

/** What the list shows now. A look that fails is only an unusable look: the workflow looks again. */
export async function look(onboard: OnboardState, about: LookFor): Promise<LookResult> {
  const created_id = onboard.origin === 'created' ? onboard.record?.id : undefined;
  try {
    const { invitation_id, gone, policy } = onboard;
    const input = { invitation_id, gone, created_id, settle_ms: policy.settle_ms, is_reset: isReset() };
    const result = parseLookResult(await looks(onboard, about).lookForOnboard(input));
    const isOurs =
      result?.kind !== 'seen' || result.onboards.every(({ record }) => sameId(record.invitation_id, invitation_id));
    return result && isOurs ? result : { kind: 'unusable', words: 'the answer of the look cannot be read' };
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    return { kind: 'unusable', words: whyLost(error.cause) };
  }
}
