import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { EFFECTS, type Effect } from '../onboard/lifecycle';
import type { LedgerEntry, OnboardInput, OnboardState } from '../workflows/messages';
import { ANSWER_MS } from './runs';
import { within } from './temporal-errors';

/** What a run was given: at its start, and by the one that it continues. */
type Given = Partial<OnboardInput> & { carried?: Pick<OnboardInput, 'doubts'> };

/**
 * Which calls a run that has ended may have made, so that the list cannot yet be believed about them: those of its own
 * that it could not know or that may not be listed yet, and those that it had inherited itself.
 */
export async function doubtsLeftBy(
  temporal: Client,
  { workflowId, runId }: WorkflowExecutionDescription,
  { stale, ledger }: OnboardState,
): Promise<readonly Effect[]> {
  if (stale) return EFFECTS;
  const { history } = await within(temporal, ANSWER_MS, () =>
    temporal.workflowService.getWorkflowExecutionHistory({
      namespace: temporal.options.namespace,
      execution: { workflowId, runId },
      maximumPageSize: 1,
    }),
  );
  const begun = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
  const [payload] = begun?.input?.payloads ?? [];
  // Made by a reset: what the other one did after that point is not in its history.
  if (!payload || begun?.originalExecutionRunId !== runId) return EFFECTS;
  const { doubts, not_before, carried } =
    temporal.options.loadedDataConverter.payloadConverter.fromPayload<Given>(payload);
  const inherited = carried?.doubts ?? doubts ?? (not_before == null ? [] : EFFECTS);
  return EFFECTS.filter((effect) => inherited.includes(effect) || ledger.some((entry) => isDoubtful(entry, effect)));
}

/** Once it may be completed, an `in_progress` would take it back. */
const UNDER_DOUBT: Record<Effect, readonly Effect[]> = {
  create: ['create'],
  in_progress: ['in_progress', 'completed'],
  completed: ['completed'],
};

/** An `in_progress` that was answered may be sent again: it changes nothing then. */
function isDoubtful({ effect, outcome }: LedgerEntry, about: Effect): boolean {
  if (!UNDER_DOUBT[about].includes(effect) || outcome === 'not_sent') return false;
  return (
    effect === 'create' || (effect === 'completed' && outcome !== 'refused') || ['unknown', 'pending'].includes(outcome)
  );
}
