import { performance } from 'node:perf_hooks';
import { activityInfo, Context } from '@temporalio/activity';
import { defaultPayloadConverter } from '@temporalio/common';
import { LOOK_HEARTBEAT_MS } from '../onboard/time-budget';

const ASK_MS = 5_000;
const BEAT_MS = LOOK_HEARTBEAT_MS / 4;
/** The run has asked for its call back: it is held, or to be cancelled. */
export const CALLED_BACK = 'it was called back before it was sent';

/**
 * One run of an activity that may send. A worker that was stopped and goes on, or an activity that somebody made run
 * again, must not act: it cannot know what has happened meanwhile.
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

  /**
   * Asks Temporal whether this attempt still counts, and leaves a mark that a later run of it finds. Our clocks cannot
   * tell: a worker that was stopped while it waited for work gets its task, late, as if it were new.
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

/** Tells Temporal that this activity's worker lives, for as long as the work takes. */
export async function heartbeating<T>(work: () => Promise<T>): Promise<T> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), BEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(beat);
  }
}
