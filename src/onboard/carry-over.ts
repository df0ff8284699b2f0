/** How an onboard goes from one run to the next: Temporal bounds the length of a run's history, not of an onboard's life. */
import type { Evidence } from './evidence';
import type { OnboardInput } from './input';
import { log } from './journal';
import { blank, type OnboardState } from './state';

/** Stands for the run that hands over: what it heard, was asked and was ordered itself, the next one goes on from. */
const THE_LAST = 'the last run';

/**
 * What a run carries to the next. A reset run has inherited outcomes and orders of another one: these stay that one's.
 * @param runId of the run that ends
 */
export const handOver = (onboard: OnboardState, runId: string): OnboardState =>
  withRuns(onboard, (id) => (id === runId ? THE_LAST : id));

/**
 * Goes on from what the last run has carried, an older version's too, which lacks what has come since.
 * @param runId of this run, or of the one that it was reset from: orders given to that one do not count for it
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
