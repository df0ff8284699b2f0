import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from '@temporalio/worker';
import { PULSE_MS } from '../pulse';

/** How long calls in flight may still take to end once the worker no longer polls. */
const LAST_CALLS_MS = 5_000;
/** How long the SDK may take to end after the worker's grace time. */
const DRAIN_RESERVE_MS = 10_000;

export const END_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** The worker stopped polling unasked, or did not end in time. Its process has to exit, because the SDK may never shut down. */
export class WorkerStopped extends Error {
  override readonly name = 'WorkerStopped';
}

/** From now on, notes when one of the signals asks this process to end; the SDK's runtime handles these signals as well. */
export function endAsked(): () => number | undefined {
  let askedAt: number | undefined;
  // Only the first one: a second signal ends the process, as it does with the SDK alone.
  const ask = () => {
    askedAt = performance.now();
    for (const signal of END_SIGNALS) process.off(signal, ask);
  };
  for (const signal of END_SIGNALS) process.on(signal, ask);
  return () => askedAt;
}

interface Life {
  askedAt: () => number | undefined;
  /** Called each second while the worker polls, or drains after it was asked to end. */
  pulse: () => void;
  /** How long the worker lets its calls end, ms. */
  graceMs: number;
}

/** Runs the worker until it is asked to end. @throws {WorkerStopped} when it stops polling unasked, or does not end in time */
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
      throw new WorkerStopped(
        `The worker was asked to end ${Math.round(since(asked) / 1000)} s ago and has not ended, so its process exits now.`,
      );
    stoppedAt ??= performance.now();
    if (calls === 0 || since(stoppedAt) >= LAST_CALLS_MS) throw new WorkerStopped(unasked(is.runState, calls));
  };
  // The first look comes at once: without a first pulse, a worker that hangs would be given the longer time of one that starts.
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
  `The worker no longer polls, and nobody asked it to end (its state: ${state}). Its process exits: npm start and the compose file start another; otherwise start it again` +
  (calls > 0 ? `. ${calls} of its activities had not ended; the workflows find out what became of them.` : '.');
