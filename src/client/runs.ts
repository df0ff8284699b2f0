import { setTimeout as sleep } from 'node:timers/promises';
import {
  QueryNotRegisteredError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionDescription,
  type WorkflowExecutionInfo,
  type WorkflowHandle,
} from '@temporalio/client';
import { Identity } from '../temporal/identity';
import { named, settingsOf } from '../upstream';
import * as messages from '../workflows/messages';
import type { OnboardView } from '../onboard/view';
import { OnboardsError } from './onboards-error';
import { HEX24, invitationIdOf, workflowIdOf } from '../onboard/ids';
import { abandoned, lastKnown, withCall, type Silence } from './last-known';
import { Sightings } from './sightings';
import { isSilence, isStuck, translated, within } from './temporal-errors';

/** How long Temporal, or a worker, may take to answer before it counts as not running. */
export const ANSWER_MS = 5_000;
/** A query waits first for the worker that has the run in its cache (`stickyQueueScheduleToStartTimeout`), then for any. */
const QUERY_MS = 8_000;
export const POLL_MS = 200;
/** Between two questions to a run that takes long. */
export const MOST_PAUSE_MS = 2_000;
/** How long a new onboard may take to show up in lists. */
const VISIBILITY_MS = 3_000;
/** How often we ask a worker that has just come back, or a run that was just interrupted. */
export const TRIES = 5;

/** Reads from Temporal: the run of an id, the state of a run, and lists of runs. */
export class Runs {
  private readonly sightings = new Sightings((query) => this.list(query));

  constructor(
    private readonly temporal: Client,
    private readonly taskQueue: string,
  ) {}

  /** Finds the run of an invitation id, else of an onboard id: first by workflow id, which is exact, then in lists, which lag.
   *  @param signal ends the wait for lists early
   *  @throws {OnboardsError} `not_found`; `refused` when it is on another task queue */
  async find(id: string, signal?: AbortSignal): Promise<WorkflowExecutionDescription> {
    if (!HEX24.test(id))
      throw new OnboardsError(
        'not_found',
        `"${id}" is not an id: invitation and onboard ids are 24 hexadecimal digits`,
      );
    const exact = await this.ofInvitation(id);
    if (exact) return exact;
    const until = Date.now() + VISIBILITY_MS;
    for (;;) {
      const run = await this.sightings.of(id);
      const found = run && (await this.describe(run.workflowId));
      if (found) return found;
      if (Date.now() >= until || signal?.aborted) throw notFound(id);
      // All callers wake at the same moments, so that they share one request.
      await sleep(POLL_MS - (Date.now() % POLL_MS));
    }
  }

  /** Undefined when there is none. @throws {OnboardsError} `refused` when it is on another task queue */
  ofInvitation(invitationId: string): Promise<WorkflowExecutionDescription | undefined> {
    return this.describe(workflowIdOf(invitationId));
  }

  /** Describes a run that was found before. @throws {OnboardsError} `not_found` when Temporal no longer keeps it */
  async again(workflowId: string): Promise<WorkflowExecutionDescription> {
    const run = await this.describe(workflowId);
    if (!run) throw notFound(invitationIdOf(workflowId));
    return run;
  }

  /** Undefined when there is none. A workflow id is unique in the namespace, but each task queue has its own upstream, so a
   *  run on another queue is not ours. @throws {OnboardsError} `refused` for such a run */
  async describe(workflowId: string): Promise<WorkflowExecutionDescription | undefined> {
    let run: WorkflowExecutionDescription;
    try {
      run = await this.temporal.withDeadline(Date.now() + ANSWER_MS, () =>
        this.temporal.workflow.getHandle(workflowId).describe(),
      );
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw translated(error);
    }
    if (run.taskQueue === this.taskQueue) return run;
    throw await this.elsewhere(run);
  }

  private async elsewhere({ workflowId, taskQueue }: WorkflowExecutionDescription): Promise<OnboardsError> {
    const upstreamOf = (queue: string) => new Identity(this.temporal, queue).upstream().catch(() => undefined);
    const [theirs, ours] = await Promise.all([upstreamOf(taskQueue), upstreamOf(this.taskQueue)]);
    return new OnboardsError(
      'refused',
      `The onboard of invitation ${invitationIdOf(workflowId)} is on task queue ${taskQueue} (LeadConduit: ${named(theirs)}), ` +
        `and this program is for task queue ${this.taskQueue} (LeadConduit: ${named(ours)}). Nothing was changed. To go on ` +
        `with it, set ONBOARDS_TASK_QUEUE=${taskQueue}${theirs === undefined ? '' : ` and ${settingsOf(theirs)}`}. A namespace ` +
        `holds only one onboard for each invitation: to have a second one, set TEMPORAL_NAMESPACE to another namespace.`,
    );
  }

  async list(query: string): Promise<WorkflowExecutionInfo[]> {
    const runs: WorkflowExecutionInfo[] = [];
    try {
      const found = this.temporal.workflow.list({ query })[Symbol.asyncIterator]();
      // Each page has its own deadline, since all of them together may take longer.
      const next = () => this.temporal.withDeadline(Date.now() + 2 * ANSWER_MS, () => found.next());
      for (let one = await next(); one.done !== true; one = await next()) runs.push(one.value);
    } catch (error) {
      throw translated(error);
    }
    return runs;
  }

  /** The run's own answer or result; the last known state when no worker answers or an ended run cannot be queried. */
  async stateOf(run: WorkflowExecutionDescription): Promise<OnboardView> {
    const isRunning = run.status.name === 'RUNNING';
    const handle = this.temporal.workflow.getHandle(run.workflowId, isRunning ? undefined : run.runId);
    let state: OnboardView;
    try {
      state = await this.temporal.withDeadline(Date.now() + QUERY_MS, () => ask(handle, isRunning ? TRIES : 1));
    } catch (error) {
      if (isRunning && !isSilence(error)) throw translated(error);
      // A query also goes unanswered when the run ends at that moment.
      if (isRunning) run = (await this.describe(run.workflowId)) ?? run;
      const silence = run.status.name === 'RUNNING' ? await this.silenceOf(run, error) : { isStuck: false };
      state = run.status.name === 'COMPLETED' ? ((await this.resultOf(run)) as OnboardView) : lastKnown(run, silence);
    }
    return { ...abandoned(withCall(state, run), run, await this.failureOf(run)), as_of: new Date().toISOString() };
  }

  /** Somebody has cancelled it, and what became of its last call or look is not known yet. Where no worker answers, only
   *  Temporal's own cancel request is known. */
  async isBeingCancelled(run: WorkflowExecutionDescription): Promise<boolean> {
    if (run.status.name !== 'RUNNING') return false;
    return (
      run.raw.workflowExtendedInfo?.cancelRequested === true || cancelledAt(await this.stateOf(run), run) !== undefined
    );
  }

  /** A failed workflow task shows that a worker is there, even before Temporal rejects queries because of it. */
  private async silenceOf({ workflowId, runId }: WorkflowExecutionDescription, error: unknown): Promise<Silence> {
    const now = await this.describe(workflowId);
    const { attempt } = now?.raw.pendingWorkflowTask ?? {};
    if (!isStuck(error) && (attempt ?? 0) < 2) return { isStuck: false };
    const { history } = await within(this.temporal, ANSWER_MS, () =>
      this.temporal.workflowService.getWorkflowExecutionHistoryReverse({
        namespace: this.temporal.options.namespace,
        execution: { workflowId, runId },
        maximumPageSize: 20,
      }),
    );
    const task = history?.events?.find(
      (event) => event.workflowTaskFailedEventAttributes ?? event.workflowTaskTimedOutEventAttributes,
    );
    const words = task?.workflowTaskFailedEventAttributes?.failure?.message?.slice(0, WORDS);
    // A task that timed out is retried, too, but it has no message: its worker is gone, so the run is not stuck.
    return { isStuck: words !== undefined, words };
  }

  /** The result of a run that has ended. */
  private resultOf({ workflowId, runId }: WorkflowExecutionDescription): Promise<unknown> {
    return within(this.temporal, ANSWER_MS, () => this.temporal.workflow.getHandle(workflowId, runId).result());
  }

  /** The failure message of a run that failed; undefined for any other run. */
  private async failureOf(run: WorkflowExecutionDescription): Promise<string | undefined> {
    if (run.status.name !== 'FAILED') return undefined;
    try {
      await this.resultOf(run);
    } catch (error) {
      if (!(error instanceof WorkflowFailedError)) throw error;
      return error.cause?.message.slice(0, WORDS);
    }
    return undefined;
  }
}

/** Epoch ms, when somebody cancelled it or its run was ended; undefined otherwise. Its last call or look may still be out. */
export function cancelledAt(
  { phase, timeline }: OnboardView,
  { closeTime }: WorkflowExecutionDescription,
): number | undefined {
  const asked = timeline.findLast(({ event }) => event === 'cancel_asked');
  if (asked) return Date.parse(asked.at);
  return phase === 'cancelled' ? closeTime?.getTime() : undefined;
}

const notFound = (id: string) =>
  new OnboardsError(
    'not_found',
    `No onboard is known here for ${id}: neither as an invitation nor as an onboard. It has to be started here first`,
  );

/** How many characters of a failure message are shown. */
const WORDS = 300;

/** Queries the state, and asks again when the worker could not answer at that moment (see `ASK_AGAIN`). */
async function ask(handle: WorkflowHandle, most: number): Promise<OnboardView> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await handle.query(messages.state);
    } catch (error) {
      if (!(error instanceof QueryNotRegisteredError) || tries === most) throw error;
      await sleep(POLL_MS);
    }
  }
}
