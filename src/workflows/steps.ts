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

/** This run was made by resetting another: what that one did after the point of the reset is not in its history. */
export const isReset = (): boolean => {
  const { runId, originalExecutionRunId } = workflowInfo();
  return runId !== originalExecutionRunId;
};

/** Whoever completes an activity by hand may return anything. */
const OUTCOMES: Record<Outcome['kind'], true> = {
  done: true,
  not_sent: true,
  not_listed: true,
  refused: true,
  credentials: true,
  unknown: true,
  duplicate: true,
  unexpected: true,
};
const LOOKS: Record<LookResult['kind'], true> = { seen: true, unusable: true, credentials: true };
const isOneOf = (kinds: object, result: { kind: string } | null): boolean =>
  Object.hasOwn(kinds, String((result as { kind?: unknown } | null)?.kind));

/** Makes one attempt at an effect. Whatever does not come back as an outcome may have worked, and may be working still. */
export async function attempt(onboard: Onboard, effect: Effect): Promise<Outcome> {
  const { invitation_id, requested_flow_id: flow_id, ruled_out, policy, pursuit } = onboard;
  const { settle_ms, call_ms } = policy;
  const about = {
    invitation_id,
    flow_id,
    ruled_out,
    settle_ms,
    call_ms,
    is_reset: isReset(),
    is_doubtful: onboard.doubts.includes(effect),
    cleared_in: pursuit?.cleared_in,
  };
  const lost = (words: string): Outcome => ({ kind: 'unknown', words, may_send_for_ms: policy.attempt_ms });
  try {
    const { createOnboard, moveOnboard } = effects(onboard);
    const outcome =
      effect === 'create'
        ? await createOnboard(about)
        : await moveOnboard({ ...about, onboard_id: onboard.record?.id ?? '', to: effect });
    return isOneOf(OUTCOMES, outcome) ? outcome : lost('the outcome cannot be read');
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
    const { invitation_id } = onboard;
    const result = await looks(onboard).lookForOnboard({ invitation_id, created_id, is_reset: isReset() });
    return isOneOf(LOOKS, result) ? result : { kind: 'unusable', words: 'the answer cannot be read' };
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    return { kind: 'unusable', words: whyLost(error.cause) };
  }
}
