import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { EFFECT_NAMES, EFFECTS, type Effect } from '../onboard/lifecycle';
import type { LedgerEntry } from '../onboard/journal';
import type { OnboardInput } from '../onboard/input';
import type { OnboardView } from '../onboard/view';
import { ANSWER_MS } from './runs';
import { within } from './temporal-errors';

/** What a run was given: at its start, and by the one that it continues. */
type Given = Partial<OnboardInput> & { carried?: Pick<OnboardInput, 'maybe_sent_before'> };

/**
 * The calls that an ended run may have made, so that a new run must not make them unasked: its own calls whose outcome it
 * did not know or that may not be listed yet, and those that an earlier run may have made.
 */
export async function maybeSentBy(
  temporal: Client,
  { workflowId, runId }: WorkflowExecutionDescription,
  { stale, ledger }: OnboardView,
): Promise<readonly Effect[]> {
  if (stale) return EFFECT_NAMES;
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
  if (!payload || begun?.originalExecutionRunId !== runId) return EFFECT_NAMES;
  const { maybe_sent_before, not_before, carried } =
    temporal.options.loadedDataConverter.payloadConverter.fromPayload<Given>(payload);
  const inherited = carried?.maybe_sent_before ?? maybe_sent_before ?? (not_before == null ? [] : EFFECT_NAMES);
  return EFFECT_NAMES.filter((effect) => inherited.includes(effect) || ledger.some((entry) => isUnsafe(entry, effect)));
}

/** Whether this call makes another one unsafe. An `in_progress` that was answered may be sent again: it changes nothing then. */
function isUnsafe({ effect, outcome }: LedgerEntry, about: Effect): boolean {
  const { unsafeAfter }: { unsafeAfter: readonly string[] } = EFFECTS[about];
  if (!unsafeAfter.includes(effect) || outcome === 'not_sent') return false;
  return (
    effect === 'create' || (effect === 'completed' && outcome !== 'refused') || ['unknown', 'pending'].includes(outcome)
  );
}
