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
import type { LookResult, Outcome } from '../activities/outcomes';
import { hasReached, type Effect } from '../onboard/lifecycle';
import { readLookResult, readOutcome } from '../onboard/parse-outcome';
import { lastEntry } from '../onboard/journal';
import { type Onboard, sameId } from '../onboard/state';

/**
 * Effects: one attempt each. Only the workflow may decide to try again, after looking. Waits for the end even when
 * cancelled: otherwise the outcome is lost and the call lands later.
 */
const effects = ({ policy }: Onboard) =>
  proxyActivities<Activities>({
    startToCloseTimeout: policy.attempt_ms,
    retry: { maximumAttempts: 1 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    priority: { priorityKey: FIRST },
  });

/** Looks: may be repeated at will. One that fails in a way that is not foreseen is told, not made again in silence. */
const looks = ({ policy }: Onboard) =>
  proxyActivities<Activities>({
    startToCloseTimeout: policy.attempt_ms,
    retry: { initialInterval: 1_000, maximumAttempts: 3 },
    priority: { priorityKey: LAST },
  });

/** Of Temporal's task queues, where the default is 3: many who look do not keep waiting those who act. */
const FIRST = 2;
const LAST = 4;

/** This run was made by resetting another: what that one did after the point of the reset is not in its history. */
export const isReset = (): boolean => {
  const { runId, originalExecutionRunId } = workflowInfo();
  return runId !== originalExecutionRunId;
};

/**
 * Makes one attempt at an effect. Whatever does not come back as an outcome may have worked, and may be working still.
 * Where the scope around it is cancelled, a call that has not been sent is called back; one that has is waited for.
 */
export async function attempt(onboard: Onboard, effect: Effect): Promise<Outcome> {
  const { invitation_id, requested_flow_id: flow_id, ruled_out, gone, policy } = onboard;
  const { pursuit, record, furthest, agreed_flow } = onboard;
  const about = {
    ...{ invitation_id, flow_id, ruled_out, gone, settle_ms: policy.settle_ms },
    is_reset: isReset(),
    is_doubtful: onboard.doubts.includes(effect),
    cleared_in: pursuit?.cleared_in,
    takes_slow_look: pursuit?.takes_slow_look,
  };
  const lost = (words: string): Outcome => ({ kind: 'unknown', words, may_send_for_ms: policy.attempt_ms });
  try {
    const { createOnboard, moveOnboard } = effects(onboard);
    const outcome =
      effect === 'create'
        ? await createOnboard(about)
        : await moveOnboard({
            ...about,
            onboard_id: record?.id ?? '',
            to: effect,
            furthest,
            known: { flow_id: agreed_flow, updated_at: record?.updated_at },
          });
    const read = readOutcome(outcome);
    return read && isAbout(onboard, effect, read) ? read : lost('the outcome cannot be read');
  } catch (error) {
    if (isCancellation(error)) return isUnstarted(onboard) ? CALLED_BACK : lost('it was cancelled in Temporal');
    if (!(error instanceof ActivityFailure)) throw error;
    return lost(whyLost(error.cause));
  }
}

const CALLED_BACK: Outcome = {
  kind: 'not_sent',
  words: 'it was called back before a worker had taken it',
  called_back: true,
};

/**
 * Temporal cancels an activity at once that no worker has: one that was never taken, or one that was lost with its worker
 * and that somebody has made run again by hand. The latter is noticed only when the attempt's time is over.
 */
const isUnstarted = (onboard: Onboard): boolean => {
  const { intended_at } = lastEntry(onboard) ?? {};
  return intended_at !== undefined && Date.now() - Date.parse(intended_at) < onboard.policy.attempt_ms;
};

/** What was made of another onboard, or of another effect, tells nothing about this one. */
function isAbout({ invitation_id, record }: Onboard, effect: Effect, outcome: Outcome): boolean {
  if (outcome.kind === 'duplicate') return outcome.onboard_ids.length > 1;
  if (!('seen' in outcome)) return true;
  if (outcome.kind === 'done' && effect !== 'create' && !hasReached(outcome.seen.status, effect)) return false;
  const { seen } = outcome;
  return sameId(seen.record.invitation_id, invitation_id) && (record === null || sameId(seen.record.id, record.id));
}

function whyLost(cause: unknown): string {
  if (cause instanceof TimeoutFailure) return 'the worker that made the call was not heard of again';
  if (cause instanceof ApplicationFailure) return `the attempt failed: ${cause.message}`;
  return 'the attempt ended without an outcome';
}

/** What the list shows now. A look that comes to nothing is only that: it is made again. */
export async function look(onboard: Onboard): Promise<LookResult> {
  const created_id = onboard.origin === 'created' ? onboard.record?.id : undefined;
  try {
    const { invitation_id, gone, policy } = onboard;
    const about = { invitation_id, gone, created_id, settle_ms: policy.settle_ms, is_reset: isReset() };
    const result = readLookResult(await looks(onboard).lookForOnboard(about));
    const isOurs =
      result?.kind !== 'seen' || result.onboards.every(({ record }) => sameId(record.invitation_id, invitation_id));
    return result && isOurs ? result : { kind: 'unusable', words: 'the answer of the look cannot be read' };
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    return { kind: 'unusable', words: whyLost(error.cause) };
  }
}
