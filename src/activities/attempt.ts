import { performance } from 'node:perf_hooks';
import { activityInfo, heartbeat } from '@temporalio/activity';

/** How long before its time is up an attempt stops sending: a worker learns of a time-out about 5 s late. */
export const RESERVE_MS = 10_000;

/**
 * One run of an activity that may send, by the clocks of this worker. A worker that was stopped and goes on, or an
 * activity that somebody made run again, must not act: it cannot know what has happened meanwhile.
 */
export class Attempt {
  private readonly info = activityInfo();
  private readonly started = { wall: Date.now(), monotonic: performance.now() };
  readonly runId = this.info.workflowExecution?.runId ?? '';

  /** @param needMs what a send needs: one whole call and the reserve. */
  constructor(private readonly needMs: number) {}

  /** Signs that this activity ran before: retried, unpaused after its mark was set, or reset (even as attempt 1). */
  get hasEarlierRun(): boolean {
    const { attempt, currentAttemptScheduledTimestampMs, scheduledTimestampMs } = this.info;
    const mark: unknown = this.info.heartbeatDetails;
    return attempt > 1 || mark !== undefined || currentAttemptScheduledTimestampMs !== scheduledTimestampMs;
  }

  /** For how long another run of this activity may still send. */
  get lengthMs(): number {
    return this.info.startToCloseTimeoutMs;
  }

  /** Wall-clock time (ms) after which nothing may be sent. */
  get sendUntil(): number {
    return this.started.wall + this.info.startToCloseTimeoutMs - this.needMs;
  }

  /** By whichever clock has gone further: the monotonic one may stop with the machine, the other may be set back. */
  get isTooLate(): boolean {
    const elapsed = Math.max(Date.now() - this.started.wall, performance.now() - this.started.monotonic);
    return this.info.startToCloseTimeoutMs - elapsed < this.needMs;
  }

  /** Leaves a mark that a later run of this activity finds; called just before the bytes leave. */
  mark(): void {
    heartbeat('sending');
  }
}
