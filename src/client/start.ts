import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type Client,
  type WorkflowHandle,
} from '@temporalio/client';
import { effectiveFlow } from '../onboard/flow';
import { workflowIdOf, WORKFLOW_TYPE } from '../onboard/ids';
import { DEFAULT_POLICY, type OnboardInput, type Policy } from '../onboard/input';
import { hasReached } from '../onboard/lifecycle';
import { asMarkdown, cleanLine } from '../onboard/text';
import type { OnboardView } from '../onboard/view';
import type { Identity } from '../temporal/identity';
import { WHEN_CREATED_ID, whenCreated } from '../workflows/messages';
import { KEYS } from '../workflows/search-attributes';
import { OnboardHandle } from './handle';
import { maybeSentBy } from './maybe-sent';
import { OnboardsError } from './onboards-error';
import { isAbandoned } from './rows';
import { ANSWER_MS, cancelledAt, MOST_PAUSE_MS, POLL_MS, type Runs } from './runs';
import { isInterrupted, translated } from './temporal-errors';

export type StartRequest = Pick<OnboardInput, 'invitation_id' | 'flow_id' | 'label' | 'by' | 'reason'>;

/** So many starts at once may have to wait for one another. */
const START_MS = 30_000;

/** Starts onboards, and waits until they are created. */
export abstract class Starts {
  protected constructor(
    protected readonly temporal: Client,
    protected readonly settings: { taskQueue: string; policy: Partial<Policy> },
    protected readonly runs: Runs,
    protected readonly identity: Identity,
  ) {}

  /**
   * Starts the onboard of an invitation, or finds the one that exists: repeated, it starts nothing.
   * One that is on another task queue is refused, as it is wherever an id is taken.
   * A run that was cancelled, failed or was terminated is followed by a new one, which looks first and adopts.
   * @param until epoch ms; a run that is being cancelled is waited for until then
   * @throws {OnboardsError} `refused` when it is still being cancelled then: nothing was started
   */
  async start(request: StartRequest, until = Date.now() + START_MS, signal?: AbortSignal): Promise<void> {
    const withinMs = Math.max(2 * ANSWER_MS, until - Date.now());
    const start = (...args: Parameters<typeof this.startOptions>) =>
      this.temporal.withDeadline(Date.now() + withinMs, () =>
        this.temporal.workflow.start(WORKFLOW_TYPE, this.startOptions(...args)),
      );
    await this.identity.claimForStart();
    try {
      await start(request, 'REJECT_DUPLICATE');
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw translated(error);
      const last = await this.lastRun(request.invitation_id, until, signal);
      if (!isAbandoned(last)) return;
      // The last run's call may land until a settle time after its end.
      const settled =
        (last.closeTime ?? new Date()).getTime() + (this.settings.policy.settle_ms ?? DEFAULT_POLICY.settle_ms);
      const maybe_sent_before = await maybeSentBy(this.temporal, last, await this.runs.stateOf(last));
      const following = {
        ...request,
        not_before: new Date(settled).toISOString(),
        maybe_sent_before: [...maybe_sent_before],
      };
      await start(following, 'ALLOW_DUPLICATE_FAILED_ONLY').catch((error: unknown) => {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw translated(error);
      });
    }
  }

  /** A run that is being cancelled is waited for until it has ended: it would take this start to its end with it. */
  private async lastRun(invitation_id: string, until: number, signal?: AbortSignal) {
    for (let pause = POLL_MS; ; pause = Math.min(2 * pause, MOST_PAUSE_MS)) {
      const run = await this.runs.find(invitation_id);
      if (!(await this.runs.isBeingCancelled(run))) return run;
      if (Date.now() >= until || signal?.aborted)
        throw new OnboardsError(
          'refused',
          `The onboard of invitation ${invitation_id} is being cancelled, and ends when the outcome of its last call is ` +
            'known. Nothing was started: start it again when it has ended.',
        );
      await sleep(Math.min(pause, Math.max(1, until - Date.now())));
    }
  }

  private startOptions(
    request: StartRequest & Pick<OnboardInput, 'not_before' | 'maybe_sent_before' | 'request_id'>,
    workflowIdReusePolicy: 'REJECT_DUPLICATE' | 'ALLOW_DUPLICATE_FAILED_ONLY',
  ) {
    const { invitation_id, label } = request;
    const input: OnboardInput = { ...request, policy: this.settings.policy };
    return {
      workflowId: workflowIdOf(invitation_id),
      taskQueue: this.settings.taskQueue,
      args: [input],
      // One that runs is asked for: it may be another task queue's.
      workflowIdConflictPolicy: 'FAIL' as const,
      workflowIdReusePolicy,
      staticSummary: asMarkdown(cleanLine(label ?? `invitation ${invitation_id.toLowerCase()}`)),
      typedSearchAttributes: [
        { key: KEYS.InvitationId, value: invitation_id.toLowerCase() },
        { key: KEYS.OnboardPhase, value: 'creating' },
        { key: KEYS.OnboardSince, value: new Date() },
        ...(request.flow_id ? [{ key: KEYS.OnboardFlowId, value: request.flow_id.toLowerCase() }] : []),
        ...(label ? [{ key: KEYS.OnboardLabel, value: cleanLine(label) }] : []),
      ],
    };
  }

  /**
   * `start` and `whenCreated`, in one round trip where the invitation is new.
   * @param signal ends the waiting before its time; the onboard goes on.
   * @returns `isNew`: it was this call that started the onboard, or, after a run that was cancelled, created it.
   */
  async onboard(
    request: StartRequest,
    waitMs: number,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<{ state: OnboardView; isNew: boolean }> {
    const began = Date.now();
    const deadline = began + waitMs;
    const request_id = randomUUID();
    await this.identity.claimForStart();
    const answer = waitMs > 0 ? await this.startAndAsk({ ...request, request_id }, deadline, signal) : undefined;
    if (answer !== 'ended' && answer?.request_id === request_id) {
      if (request.flow_id !== undefined) assertFlow(answer, request.flow_id.toLowerCase());
      return { state: answer, isNew: true };
    }
    // What another start was answered then is old by now, and its run may have ended.
    const run = waitMs > 0 ? await this.runs.ofInvitation(request.invitation_id) : undefined;
    const state = run && (await this.runs.stateOf(run));
    const cancelled = state && cancelledAt(state, run);
    // Cancelled while this waited for it: to start it again would be to overrule whoever did.
    if (cancelled !== undefined && cancelled >= began) return { state: state!, isNew: false };
    if (!state || cancelled !== undefined) await this.start(request, Math.max(2 * ANSWER_MS, deadline - Date.now()));
    const created = await this.whenCreated(request, Math.max(0, deadline - Date.now()), signal);
    // A run that was cancelled had not got that far.
    const isMade = created.ledger.some(({ effect, outcome }) => effect === 'create' && outcome === 'done');
    return { state: created, isNew: cancelled !== undefined && isMade };
  }

  /** `undefined`: no answer in time, or the run can no longer be asked. `'ended'`: the run finished without creating the onboard. */
  private async startAndAsk(request: StartRequest & { request_id: string }, deadline: number, signal: AbortSignal) {
    const startWorkflowOperation = new WithStartWorkflowOperation(
      WORKFLOW_TYPE,
      this.startOptions(request, 'REJECT_DUPLICATE'),
    );
    try {
      return await this.waiting(deadline, signal, () =>
        this.temporal.workflow.executeUpdateWithStart(whenCreated, {
          updateId: WHEN_CREATED_ID,
          startWorkflowOperation,
        }),
      );
    } catch (error) {
      if (error instanceof WorkflowUpdateFailedError) return 'ended' as const;
      const isUnanswered = [
        WorkflowUpdateRPCTimeoutOrCancelledError,
        WorkflowExecutionAlreadyStartedError,
        WorkflowNotFoundError,
      ].some((kind) => error instanceof kind);
      if (isUnanswered || isInterrupted(error)) return undefined;
      throw translated(error);
    }
  }

  /** The SDK leaves a listener on the signal that it is given, and ours lives as long as the process. */
  private async waiting<T>(deadline: number, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const own = new AbortController();
    const end = () => own.abort();
    signal.addEventListener('abort', end);
    try {
      return await this.temporal.withDeadline(deadline, () => this.temporal.withAbortSignal(own.signal, work));
    } finally {
      signal.removeEventListener('abort', end);
    }
  }

  /**
   * The state once there is a record or attention is needed; what it is by then when that takes longer than `waitMs`.
   * @throws {OnboardsError} `refused` when the onboard was started for another flow than `flow_id`.
   */
  async whenCreated(
    { invitation_id, flow_id }: StartRequest,
    waitMs: number,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<OnboardView> {
    const deadline = Date.now() + waitMs;
    const isOver = () => Date.now() >= deadline || signal.aborted;
    const handle = this.temporal.workflow.getHandle(workflowIdOf(invitation_id));
    // A run that ended or continued as new meanwhile answers nobody: ask the one that follows.
    while (!isOver() && (await this.isBeingCreated(handle, deadline, signal))) await sleep(POLL_MS);
    const onboard = new OnboardHandle(this.temporal, this.runs, invitation_id);
    let state = await onboard.state();
    // The answer stays the run's first; an attention may have been cleared since, and the create be under way again.
    while (isPending(state) && !isOver()) {
      await sleep(POLL_MS);
      state = await onboard.state();
    }
    if (flow_id !== undefined) assertFlow(state, flow_id.toLowerCase());
    return state;
  }

  /** Waits for the answer, whose state is as old as the record. True when it must be asked for again: its run ended without
   *  one and another follows, or its task failed just then. */
  private async isBeingCreated(handle: WorkflowHandle, deadline: number, signal: AbortSignal): Promise<boolean> {
    try {
      await this.waiting(deadline, signal, () => handle.executeUpdate(whenCreated, { updateId: WHEN_CREATED_ID }));
      return false;
    } catch (error) {
      if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || error instanceof WorkflowNotFoundError)
        return false;
      if (isInterrupted(error)) return true;
      if (!(error instanceof WorkflowUpdateFailedError)) throw translated(error);
      const run = await this.runs.describe(handle.workflowId);
      return run?.status.name === 'RUNNING';
    }
  }
}

const isPending = ({ record, attention, phase, stale }: OnboardView) =>
  record === null && attention === undefined && phase !== 'cancelled' && !stale;

/** One start for a flow and another for a different one, or after one for none, cannot both be meant. None asked for never conflicts. */
function assertFlow({ requested_flow_id, record, invitation_id, status }: OnboardView, asked: string): void {
  const has = effectiveFlow({ requested_flow_id, record });
  if (has === asked) return;
  const without = hasReached(status, 'in_progress')
    ? `is ${status} without a flow: nothing was changed`
    : `was started without a flow; to set one: advance --flow-id ${asked}`;
  const what = has ? `is for flow ${has}, not ${asked}: nothing was changed` : without;
  throw new OnboardsError('refused', `conflict: the onboard of invitation ${invitation_id} ${what}`);
}
