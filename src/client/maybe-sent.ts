import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { EFFECT_NAMES, EFFECTS, type Effect } from '../onboard/lifecycle';
import type { LedgerEntry } from '../onboard/journal';
import type { OnboardInput } from '../onboard/input';
import type { OnboardView } from '../onboard/view';
import { ANSWER_MS } from './runs';
import { within } from './temporal-errors';

/** A run's input: what it was started with, or what the run that it continues handed over. */
type Given = Partial<OnboardInput> & { carried?: Pick<OnboardInput, 'maybe_sent_before'> };

/**
 * The calls that a new run must not make without a person's order, because an ended run may have made them or others that
 * rule them out. They follow from its own calls whose outcome is unknown or not listed yet, and from what it inherited.
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
  // A reset made this run: its history lacks what the original run did after the reset point.
  if (!payload || begun?.originalExecutionRunId !== runId) return EFFECT_NAMES;
  const { maybe_sent_before, not_before, carried } =
    temporal.options.loadedDataConverter.payloadConverter.fromPayload<Given>(payload);
  const inherited = carried?.maybe_sent_before ?? maybe_sent_before ?? (not_before == null ? [] : EFFECT_NAMES);
  return EFFECT_NAMES.filter((effect) => inherited.includes(effect) || ledger.some((entry) => isUnsafe(entry, effect)));
}

/** Whether this entry rules out the call `about`. An answered `in_progress` does not: sent again, it changes nothing. */
function isUnsafe({ effect, outcome }: LedgerEntry, about: Effect): boolean {
  const { unsafeAfter }: { unsafeAfter: readonly string[] } = EFFECTS[about];
  if (!unsafeAfter.includes(effect) || outcome === 'not_sent') return false;
  return (
    effect === 'create' || (effect === 'completed' && outcome !== 'refused') || ['unknown', 'pending'].includes(outcome)
  );
}
