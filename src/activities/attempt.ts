import { performance } from 'node:perf_hooks';
import { activityInfo, Context } from '@temporalio/activity';
import { defaultPayloadConverter } from '@temporalio/common';
import { LOOK_HEARTBEAT_MS } from '../onboard/time-budget';

const ASK_MS = 5_000;
const BEAT_MS = LOOK_HEARTBEAT_MS / 4;
/** The workflow has cancelled the attempt: the onboard is held, or being cancelled. */
export const CALLED_BACK = 'it was called back before it was sent';

/**
 * One run of an activity. A worker that was frozen and wakes up must not send, nor must an activity that somebody made
 * run again: neither can know what has happened meanwhile.
 */
export class Attempt {
  private readonly info = activityInfo();
  private readonly started = { wall: Date.now(), monotonic: performance.now() };
  readonly runId = this.info.workflowExecution?.runId ?? '';

  /** @param needMs the time that must be left: for a write, one whole call and the reserve. */
  constructor(private readonly needMs: number) {}

  /** Whether this activity ran before: it was retried, unpaused after its mark was set, or reset (even at attempt 1). */
  get wasTriedBefore(): boolean {
    const { attempt, currentAttemptScheduledTimestampMs, scheduledTimestampMs } = this.info;
    const mark: unknown = this.info.heartbeatDetails;
    return attempt > 1 || mark !== undefined || currentAttemptScheduledTimestampMs !== scheduledTimestampMs;
  }

  /** How long this activity may take, in ms: another worker that has the same attempt may send for as long. */
  get lengthMs(): number {
    return this.info.startToCloseTimeoutMs;
  }

  /** Epoch ms after which nothing may be sent. */
  get sendUntil(): number {
    return this.started.wall + this.info.startToCloseTimeoutMs - this.needMs;
  }

  /** The clock that has gone further decides: the monotonic one may stop with the machine, the other be set back. */
  get isTooLate(): boolean {
    const elapsed = Math.max(Date.now() - this.started.wall, performance.now() - this.started.monotonic);
    return this.info.startToCloseTimeoutMs - elapsed < this.needMs;
  }

  /**
   * Asks Temporal whether this attempt still counts, and leaves a mark that a later try finds. Our clocks cannot
   * tell: a worker that was frozen while it waited for a task gets the task late, as if it were new.
   * @returns why it must not send, if so.
   */
  async objection(): Promise<string | undefined> {
    const { client } = Context.current();
    const { namespace, taskToken } = this.info;
    const details = { payloads: [defaultPayloadConverter.toPayload('sending')] };
    try {
      const answer = await client.withDeadline(Date.now() + ASK_MS, () =>
        client.workflowService.recordActivityTaskHeartbeat({ namespace, taskToken, details }),
      );
      if (answer.cancelRequested) return CALLED_BACK;
      const isStopped = answer.activityPaused || answer.activityReset;
      return isStopped ? 'Temporal has paused or reset this attempt' : undefined;
    } catch {
      return 'Temporal did not confirm that this attempt still counts';
    }
  }
}

/** Sends heartbeats as long as the work takes, so that Temporal knows that the worker is alive. */
export async function heartbeating<T>(work: () => Promise<T>): Promise<T> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), BEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(beat);
  }
}
