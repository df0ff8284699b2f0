import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from '@temporalio/worker';
import { PULSE_MS } from '../pulse';

/** How long a call under way may still come to its end once the worker polls no more. */
const LAST_CALLS_MS = 5_000;
/** After the time that the worker gives its calls: for the SDK to end. */
const DRAIN_RESERVE_MS = 10_000;

export const END_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** The worker polls no more and nobody asked for it. Its process has to end: the SDK's shutdown may never come to its end. */
export class WorkerStopped extends Error {
  override readonly name = 'WorkerStopped';
}

/** From now on: since when this process has been asked to end by one of the signals, which the SDK's runtime takes as well. */
export function endAsked(): () => number | undefined {
  let askedAt: number | undefined;
  // Once: a second signal ends the process, as it does with the SDK alone.
  const ask = () => {
    askedAt = performance.now();
    for (const signal of END_SIGNALS) process.off(signal, ask);
  };
  for (const signal of END_SIGNALS) process.on(signal, ask);
  return () => askedAt;
}

interface Life {
  askedAt: () => number | undefined;
  /** Called each second while it polls, or drains as it was asked to. */
  pulse: () => void;
  /** How long the worker lets its calls end. */
  graceMs: number;
}

/** Runs the worker until it is asked to end. @throws {WorkerStopped} when it polls no more unasked, or does not come to its end */
export async function runUntilAsked(worker: Worker, { askedAt, pulse, graceMs }: Life): Promise<void> {
  const since = (then: number) => performance.now() - then;
  let stoppedAt: number | undefined;
  const look = (): void => {
    const asked = askedAt();
    const { numInFlightActivities: calls, ...is } = worker.getStatus();
    const isPolling =
      is.runState === 'RUNNING' && is.workflowPollerState === 'POLLING' && is.activityPollerState === 'POLLING';
    if (asked === undefined ? isPolling : since(asked) < graceMs + DRAIN_RESERVE_MS) {
      pulse();
      return;
    }
    if (asked !== undefined)
      throw new WorkerStopped(`The worker was asked to end ${Math.round(since(asked) / 1000)} s ago: it is ended now.`);
    stoppedAt ??= performance.now();
    if (calls === 0 || since(stoppedAt) >= LAST_CALLS_MS) throw new WorkerStopped(unasked(is.runState, calls));
  };
  // At once, too: one that hangs in its first second must be known to have worked.
  const watch = async (): Promise<never> => {
    for (;;) {
      look();
      await sleep(PULSE_MS, undefined, { ref: false });
    }
  };
  const run = async () => {
    try {
      await worker.run();
    } catch (error) {
      throw new WorkerStopped(`${unasked(worker.getState(), 0)} Temporal's SDK says: ${(error as Error).message}`);
    }
    if (askedAt() === undefined) throw new WorkerStopped(unasked(worker.getState(), 0));
  };
  await Promise.race([run(), watch()]);
}

const unasked = (state: string, calls: number) =>
  `The worker polls no more, and nobody asked it to end (its state: ${state}). Its process ends: npm start and the compose file start another; else start it again` +
  (calls > 0 ? `; ${calls} of its activities had not ended, and what became of them is looked up.` : '.');
