/** How an onboard goes from one run to the next: Temporal bounds the length of a run's history, not of an onboard's life. */
import type { Evidence } from './evidence';
import type { OnboardInput } from './input';
import { log } from './journal';
import { blank, type OnboardState } from './state';

/** Stands for the run that hands over. Its own evidence and approvals become those of the next run. */
const THE_LAST = 'the last run';

/**
 * What a run carries to the next. Outcomes and orders that a reset run inherited keep the id of the run they came from.
 * @param runId of the run that ends
 */
export const handOver = (onboard: OnboardState, runId: string): OnboardState =>
  withRuns(onboard, (id) => (id === runId ? THE_LAST : id));

/**
 * Continues from the state that the last run carried. Fields that an older version did not have are filled in.
 * @param runId of this run. After a reset: of the original run, since orders that were given to it do not count here
 */
export function takeOver(input: OnboardInput, carried: OnboardState, runId: string, now: number): OnboardState {
  const onboard = { ...blank(input, now), ...carried };
  log(onboard, now, 'continued');
  return withRuns(onboard, (id) => (id === THE_LAST ? runId : id));
}

function withRuns(onboard: OnboardState, rename: (runId: string) => string): OnboardState {
  const { evidence, attention, operation } = onboard;
  const renamed = (one: Evidence | undefined) => one && { ...one, run_id: rename(one.run_id) };
  return {
    ...onboard,
    evidence: renamed(evidence),
    attention: attention && { ...attention, evidence: renamed(attention.evidence) },
    operation: operation && { ...operation, approval: renamed(operation.approval) },
  };
}
