import type { WorkerOptions } from '@temporalio/worker';
import type { Config } from '../config';
import { LOOK_HEARTBEAT_MS } from '../onboard/time-budget';

/** Activity slots for each call that may be in flight. The rest of the backlog waits in Temporal's queue, where no time runs out. */
const SLOTS_PER_CALL = 8;

/** What every worker of this project shares, in tests too. Measured on 2 cores. */
export function workerOptions({ taskQueue, leadconduit }: Config) {
  return {
    taskQueue,
    maxConcurrentActivityTaskExecutions: SLOTS_PER_CALL * leadconduit.maxConcurrency,
    // Time for one look, one write and the return: the outcome of a call that is cut off would be unknown.
    shutdownGraceTime: 2 * leadconduit.timeoutMs + 15_000,
    // After a kill, a run waits this long for the worker that had it in its cache. A time below a busy server's answer (p50 1.3 s
    // at its limit) would send runs to workers that must replay them, and so keep a busy machine busy.
    stickyQueueScheduleToStartTimeout: '3s',
    // The SDK sends only so many of the heartbeats of a look: one that is lost must not end the look.
    maxHeartbeatThrottleInterval: LOOK_HEARTBEAT_MS / 4,
    dataConverter: { payloadConverterPath: require.resolve('./payload-converter') },
  } satisfies WorkerOptions;
}
