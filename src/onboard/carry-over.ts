/** How an onboard goes from one run to the next: Temporal bounds the length of a run's history, not of an onboard's life. */
import type { OnboardInput } from '../workflows/messages';
import { tell } from './journal';
import { blank, type Onboard } from './state';

/** Stands for the run that hands over: what it heard, was asked and was ordered itself, the next one goes on from. */
const THE_LAST = 'the last run';

/**
 * What a run carries to the next. A reset run has inherited outcomes and orders of another one: these stay that one's.
 * @param runId of the run that ends
 */
export function handOver(onboard: Onboard, runId: string): Onboard {
  const renamed = (id: string | undefined) => (id === runId ? THE_LAST : id);
  return withRuns(onboard, renamed);
}

/**
 * Goes on from what the last run has carried, an older version's too, which lacks what has come since.
 * @param runId of this run, or of the one that it was reset from: orders given to that one do not count for it
 */
export function takeOver(input: OnboardInput, carried: Onboard, runId: string, now: number): Onboard {
  const onboard = { ...blank(input, now), ...carried };
  tell(onboard, now, 'continued');
  return withRuns(onboard, (id) => (id === THE_LAST ? runId : id));
}

function withRuns(onboard: Onboard, rename: (id: string | undefined) => string | undefined): Onboard {
  const { heard_in, raised_in, pursuit } = onboard;
  return {
    ...onboard,
    ...{ heard_in: rename(heard_in), raised_in: rename(raised_in) },
    ...(pursuit && { pursuit: { ...pursuit, cleared_in: rename(pursuit.cleared_in) } }),
  };
}
