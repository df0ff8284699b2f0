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
import { ATTRIBUTE_KEYS } from '../workflows/search-attributes';
import { OnboardHandle } from './handle';
import { maybeSentBy } from './maybe-sent';
import { OnboardsError } from './onboards-error';
import { isAbandoned } from './rows';
import { ANSWER_MS, cancelledAt, MOST_PAUSE_MS, POLL_MS, type Runs } from './runs';
import { isInterrupted, translated } from './temporal-errors';

export type StartRequest = Pick<OnboardInput, 'invitation_id' | 'flow_id' | 'label' | 'by' | 'reason'>;

/** In ms. Many starts at once may have to wait for one another. */
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
   * Starts the onboard of an invitation, or finds the one that exists: a repeat starts nothing.
   * An onboard on another task queue is refused, as by every method that takes an id.
   * A run that was cancelled, terminated, failed or timed out is followed by a new one, which looks first and adopts.
   * @param until epoch ms; until then a run that is being cancelled is awaited
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
      // A call of the last run may still take effect until a settle time after the run's end.
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

  /** The last run. A run that is being cancelled is awaited, since a start that found it running would end with it. */
  private async lastRun(invitation_id: string, until: number, signal?: AbortSignal) {
    for (let pause = POLL_MS; ; pause = Math.min(2 * pause, MOST_PAUSE_MS)) {
      const run = await this.runs.find(invitation_id);
      if (!(await this.runs.isBeingCancelled(run))) return run;
      if (Date.now() >= until || signal?.aborted)
        throw new OnboardsError(
          'refused',
          `The onboard of invitation ${invitation_id} is being cancelled, and ends when a worker knows the outcome of its last ` +
            'call. Nothing was started: start it again when it has ended.',
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
      // A start fails when a run exists, and then looks at that run: it may be on another task queue.
      workflowIdConflictPolicy: 'FAIL' as const,
      workflowIdReusePolicy,
      staticSummary: asMarkdown(cleanLine(label ?? `invitation ${invitation_id.toLowerCase()}`)),
      typedSearchAttributes: [
        { key: ATTRIBUTE_KEYS.InvitationId, value: invitation_id.toLowerCase() },
        { key: ATTRIBUTE_KEYS.OnboardPhase, value: 'creating' },
        { key: ATTRIBUTE_KEYS.OnboardSince, value: new Date() },
        ...(request.flow_id ? [{ key: ATTRIBUTE_KEYS.OnboardFlowId, value: request.flow_id.toLowerCase() }] : []),
        ...(label ? [{ key: ATTRIBUTE_KEYS.OnboardLabel, value: cleanLine(label) }] : []),
      ],
    };
  }

  /**
   * `start` and `whenCreated`, in one round trip where the invitation is new.
   * @param signal ends the wait early; the onboard goes on.
   * @returns `isNew`: this call is known to have started the onboard or, after a cancelled run, to have created it.
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
    // The answer to another start may be out of date, and its run may have ended.
    const run = waitMs > 0 ? await this.runs.ofInvitation(request.invitation_id) : undefined;
    const state = run && (await this.runs.stateOf(run));
    const cancelled = state && cancelledAt(state, run);
    // It was cancelled while this call waited: starting it again would overrule the cancel.
    if (cancelled !== undefined && cancelled >= began) return { state: state!, isNew: false };
    if (!state || cancelled !== undefined) await this.start(request, deadline, signal);
    const created = await this.whenCreated(request, Math.max(0, deadline - Date.now()), signal);
    // The ledger is the new run's, so a create in it was not made by the cancelled run.
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

  /** The SDK leaves a listener on the signal that it is given, so it gets one that lives only as long as this call. */
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
   * Waits up to `waitMs` for a record or for attention, then answers the state, whatever it is by then.
   * @throws {OnboardsError} `refused` when the onboard has another flow than `flow_id`, or none.
   */
  async whenCreated(
    { invitation_id, flow_id }: StartRequest,
    waitMs: number,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<OnboardView> {
    const deadline = Date.now() + waitMs;
    const isOver = () => Date.now() >= deadline || signal.aborted;
    const handle = this.temporal.workflow.getHandle(workflowIdOf(invitation_id));
    // A run that ended or continued as new answers no more updates: ask the run that follows it.
    while (!isOver() && (await this.isBeingCreated(handle, deadline, signal))) await sleep(POLL_MS);
    const onboard = new OnboardHandle(this.temporal, this.runs, invitation_id);
    let state = await onboard.state();
    // The update keeps its first answer. Its attention may have been cleared since, and the create be under way again.
    while (isPending(state) && !isOver()) {
      await sleep(POLL_MS);
      state = await onboard.state();
    }
    if (flow_id !== undefined) assertFlow(state, flow_id.toLowerCase());
    return state;
  }

  /** Waits for the answer of `whenCreated`. True when it must be asked again: the run ended without an answer and another
   *  follows, or its workflow task was retried. */
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

/** Refuses a start for a flow when the onboard has another flow or none. A start without a flow never conflicts. */
function assertFlow({ requested_flow_id, record, invitation_id, status }: OnboardView, asked: string): void {
  const has = effectiveFlow({ requested_flow_id, record });
  if (has === asked) return;
  const without = hasReached(status, 'in_progress')
    ? `is ${status} without a flow: nothing was changed`
    : `was started without a flow; to set one: advance --to in_progress --flow-id ${asked}`;
  const what = has ? `is for flow ${has}, not ${asked}: nothing was changed` : without;
  throw new OnboardsError('refused', `conflict: the onboard of invitation ${invitation_id} ${what}`);
}
