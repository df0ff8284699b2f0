import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  proxyActivities,
  TimeoutFailure,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities';
import type { LookResult, Outcome } from '../activities/outcomes';
import type { Effect } from './lifecycle';
import type { Onboard } from './onboard';
import { isUndecodable } from './undecodable';

/**
 * Effects: one attempt each. Only the workflow may decide to try again, after looking. Waits for the end even when
 * cancelled: otherwise the outcome is lost and the call lands later.
 */
const effects = ({ policy }: Onboard) =>
  proxyActivities<Activities>({
    startToCloseTimeout: policy.attempt_ms,
    retry: { maximumAttempts: 1 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });

/** Looks: may be repeated at will. */
const looks = ({ policy }: Onboard) =>
  proxyActivities<Activities>({
    startToCloseTimeout: policy.attempt_ms,
    retry: { initialInterval: 1_000, maximumInterval: 60_000 },
  });

/** Makes one attempt at an effect. Whatever does not come back as an outcome may have worked, and may be working still. */
export async function attempt(onboard: Onboard, effect: Effect): Promise<Outcome> {
  const { invitation_id, requested_flow_id: flow_id, ruled_out, policy, pursuit } = onboard;
  const { settle_ms, call_ms } = policy;
  const { runId, firstExecutionRunId, continuedFromExecutionRunId } = workflowInfo();
  // A run that did not begin a chain and does not continue one began by a reset.
  const is_reset = runId !== firstExecutionRunId && continuedFromExecutionRunId === undefined;
  const about = {
    invitation_id,
    flow_id,
    ruled_out,
    settle_ms,
    call_ms,
    is_reset,
    is_ordered: pursuit?.ordered ?? false,
  };
  const lost = (words: string): Outcome => ({ kind: 'unknown', words, may_send_for_ms: policy.attempt_ms });
  try {
    const { createOnboard, moveOnboard } = effects(onboard);
    const outcome =
      effect === 'create'
        ? await createOnboard(about)
        : await moveOnboard({ ...about, onboard_id: onboard.record?.id ?? '', to: effect });
    return isUndecodable(outcome) ? lost('the outcome cannot be decoded') : outcome;
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    return lost(whyLost(error.cause));
  }
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
    const result = await looks(onboard).lookForOnboard({ invitation_id: onboard.invitation_id, created_id });
    return isUndecodable(result) ? { kind: 'unusable', words: 'the answer cannot be decoded' } : result;
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    return { kind: 'unusable', words: whyLost(error.cause) };
  }
}
