import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Client,
  Connection,
  QueryNotRegisteredError,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type WorkflowExecutionDescription,
  type WorkflowExecutionInfo,
  type WorkflowHandle,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { Config, Environment } from '../config';
import { connectTemporal, temporalSettings } from '../temporal/connection';
import { EFFECTS, hasReached, type Effect } from '../workflows/lifecycle';
import * as messages from '../workflows/messages';
import type { OnboardInput, OnboardState, Policy } from '../workflows/messages';
import { KEYS } from '../workflows/search-attributes';
import { OnboardsError } from './errors';
import { isHexId, workflowIdOf } from './ids';
import { lastKnown } from './last-known';
import { isAbandoned, listQuery, matches, newestRuns, rowOf, type Filters, type Row } from './rows';

export { OnboardsError } from './errors';
export type { Filters, Row } from './rows';

/** How long a worker may take to answer before it counts as not running. */
const ANSWER_MS = 5_000;
/** How long a new onboard may take to show up in lists. */
const VISIBILITY_MS = 3_000;
const POLL_MS = 200;
/** To get an answer from a worker that has just come back. */
const TRIES = 5;

type Request = Pick<OnboardInput, 'invitation_id' | 'flow_id' | 'label'> & Pick<messages.Plain, 'by' | 'reason'>;
type Command = { [Name in 'advance' | 'resolve' | 'hold' | 'release' | 'cancel']: { name: Name } & Payload<Name> }[
  'advance' | 'resolve' | 'hold' | 'release' | 'cancel'];
type Payload<Name extends string> = Name extends 'advance'
  ? messages.Advance
  : Name extends 'resolve'
    ? messages.Resolve
    : messages.Plain;

/** The one typed door to Temporal: nothing else knows workflow ids, id policies and list filters. */
export class OnboardsClient {
  constructor(
    private readonly temporal: Client,
    private readonly settings: { taskQueue: string; policy: Partial<Policy> },
  ) {}

  /** @throws {TemporalUnavailable} */
  static async connect(config: Config, env: Environment): Promise<OnboardsClient> {
    const settings = temporalSettings(config, env);
    const connection = await connectTemporal(settings, (options) => Connection.connect(options));
    return OnboardsClient.over(connection, settings.namespace, config);
  }

  static over(connection: Connection, namespace: string, config: Config): OnboardsClient {
    return new OnboardsClient(new Client({ connection, namespace }), {
      taskQueue: config.taskQueue,
      policy: policyOf(config),
    });
  }

  close(): Promise<void> {
    return this.temporal.connection.close();
  }

  /**
   * Starts the onboard of an invitation, or finds the one that exists: repeated, it starts nothing.
   * A run that was cancelled, failed or was terminated is followed by a new one, which looks first and adopts.
   */
  async start(request: Request): Promise<void> {
    try {
      await this.startRun(request, 'REJECT_DUPLICATE');
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw translated(error);
      const last = await this.temporal.workflow.getHandle(workflowIdOf(request.invitation_id)).describe();
      if (!isAbandoned(last)) return;
      // The last run's call may land until a settle time after its end.
      const settled = (last.closeTime ?? new Date()).getTime() + (this.settings.policy.settle_ms ?? 60_000);
      const { stale, ledger } = await this.stateOf(last);
      const doubts = EFFECTS.filter((effect) => stale || ledger.some((entry) => isDoubtful(entry, effect)));
      await this.startRun(
        { ...request, not_before: new Date(settled).toISOString(), doubts },
        'ALLOW_DUPLICATE_FAILED_ONLY',
      ).catch((error: unknown) => {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw translated(error);
      });
    }
  }

  private startRun(
    request: Request & Pick<OnboardInput, 'not_before' | 'doubts'>,
    workflowIdReusePolicy: 'REJECT_DUPLICATE' | 'ALLOW_DUPLICATE_FAILED_ONLY',
  ) {
    const { invitation_id, label } = request;
    const input: OnboardInput = { ...request, policy: this.settings.policy };
    return this.temporal.workflow.start('onboardBuyer', {
      workflowId: workflowIdOf(invitation_id),
      taskQueue: this.settings.taskQueue,
      args: [input],
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy,
      staticSummary: label ?? `invitation ${invitation_id.toLowerCase()}`,
      typedSearchAttributes: [
        { key: KEYS.InvitationId, value: invitation_id.toLowerCase() },
        { key: KEYS.OnboardPhase, value: 'creating' },
        { key: KEYS.OnboardSince, value: new Date() },
        ...(request.flow_id ? [{ key: KEYS.OnboardFlowId, value: request.flow_id.toLowerCase() }] : []),
        ...(label ? [{ key: KEYS.OnboardLabel, value: label.slice(0, 200) }] : []),
      ],
    });
  }

  /**
   * The state once there is a record or attention is needed; what it is by then when that takes longer than `waitMs`.
   * @throws {OnboardsError} `refused` when the onboard was started for another flow than `flow_id`.
   */
  async whenCreated({ invitation_id, flow_id }: Request, waitMs: number): Promise<OnboardState> {
    const deadline = Date.now() + waitMs;
    const handle = this.temporal.workflow.getHandle(workflowIdOf(invitation_id));
    // A run that ended or continued as new meanwhile answers nobody: ask the one that follows.
    while ((await this.isBeingCreated(handle, deadline)) && Date.now() < deadline) await sleep(POLL_MS);
    let state = await this.state(invitation_id);
    // The answer stays the run's first; an attention may have been cleared since, and the create be under way again.
    while (isPending(state) && Date.now() < deadline) {
      await sleep(POLL_MS);
      state = await this.state(invitation_id);
    }
    if (flow_id !== undefined && !state.stale) assertFlow(state, flow_id.toLowerCase());
    return state;
  }

  /** Waits for the answer, whose state is as old as the record. True when its run ended without one and another follows. */
  private async isBeingCreated(handle: WorkflowHandle, deadline: number): Promise<boolean> {
    try {
      await this.temporal.withDeadline(deadline, () =>
        handle.executeUpdate(messages.whenCreated, { updateId: messages.WHEN_CREATED_ID }),
      );
      return false;
    } catch (error) {
      if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || error instanceof WorkflowNotFoundError)
        return false;
      if (!(error instanceof WorkflowUpdateFailedError)) throw translated(error);
      const { status } = await handle.describe();
      return status.name === 'RUNNING';
    }
  }

  /** @throws {OnboardsError} `not_found` */
  async state(id: string): Promise<OnboardState> {
    return this.stateOf(await this.find(id));
  }

  private async stateOf(run: WorkflowExecutionDescription): Promise<OnboardState> {
    const handle = this.temporal.workflow.getHandle(
      run.workflowId,
      run.status.name === 'RUNNING' ? undefined : run.runId,
    );
    let state: OnboardState;
    try {
      state = await this.temporal.withDeadline(Date.now() + ANSWER_MS, () => ask(handle));
    } catch (error) {
      if (!isSilence(error)) throw translated(error);
      if (run.status.name !== 'COMPLETED') return lastKnown(run, isStuck(error));
      state = (await handle.result()) as OnboardState;
    }
    const as_of = new Date().toISOString();
    if (!isAbandoned(run) || state.phase === 'cancelled') return { ...state, as_of };
    const text = `its run is ${run.status.name.toLowerCase().replace('_', ' ')} in Temporal: not followed any more. Start it again to go on; it looks first.`;
    return {
      ...state,
      as_of,
      phase: 'cancelled',
      waiting_for: { who: 'nobody', text },
      next: undefined,
      attention: undefined,
      actions: [],
    };
  }

  /**
   * Sends a message and answers the state right after it.
   * @throws {OnboardsError} `refused` with the reason; `not_found`; `no_worker`.
   */
  async send(id: string, { name, ...payload }: Command): Promise<OnboardState> {
    const run = await this.find(id);
    const body = { ...payload, key: payload.key ?? randomUUID() };
    const closed = async () => {
      const state = await this.stateOf(run);
      if (name === 'advance' && hasReached(state.status, (payload as messages.Advance).to)) return state;
      throw new OnboardsError(
        'refused',
        `${name} refused: ${state.phase === 'done' ? 'the onboard is completed' : 'the onboard is not followed any more'}`,
      );
    };
    if (run.status.name !== 'RUNNING') return closed();
    try {
      return await this.temporal.withDeadline(Date.now() + 2 * ANSWER_MS, () =>
        this.temporal.workflow
          .getHandle(run.workflowId)
          .executeUpdate<OnboardState, [typeof body]>(name, { args: [body] }),
      );
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return closed();
      if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)
        throw new OnboardsError(
          'no_worker',
          `No worker answered within ${(2 * ANSWER_MS) / 1000} s: start one with \`npm start\` or \`npm run worker\`. The ${name} may still be carried out then; repeated with --key ${body.key} it acts once.`,
        );
      if (
        error instanceof WorkflowUpdateFailedError &&
        error.cause instanceof ApplicationFailure &&
        error.cause.type === messages.REFUSED
      )
        throw new OnboardsError('refused', `${name} refused: ${error.cause.message}`);
      throw translated(error);
    }
  }

  /** Durable at once, carried out when a worker runs. */
  async note(id: string, payload: messages.Note): Promise<void> {
    const run = await this.find(id);
    if (run.status.name !== 'RUNNING') throw new OnboardsError('refused', 'note refused: the onboard has ended');
    await this.temporal.workflow.getHandle(run.workflowId).signal(messages.note, payload);
  }

  /** Oldest first. */
  async list(filters: Filters = {}): Promise<Row[]> {
    const rows = (await this.runs(listQuery(filters, this.settings.taskQueue))).map(rowOf);
    return rows.filter((row) => matches(row, filters)).sort((a, b) => a.since.localeCompare(b.since));
  }

  /** Ids of onboards that were created here, newest first: a list that shows one of them can be believed. */
  async createdIds(limit: number): Promise<string[]> {
    const query = `${listQuery({}, this.settings.taskQueue)} AND OnboardOrigin = 'created'`;
    const ids: string[] = [];
    for await (const run of this.temporal.workflow.list({ query, pageSize: limit })) {
      const id = run.typedSearchAttributes.get(KEYS.OnboardId);
      if (id && ids.push(id) >= limit) break;
    }
    return ids;
  }

  private async runs(query: string): Promise<WorkflowExecutionInfo[]> {
    const runs: WorkflowExecutionInfo[] = [];
    try {
      for await (const run of this.temporal.workflow.list({ query })) runs.push(run);
    } catch (error) {
      throw translated(error);
    }
    return newestRuns(runs);
  }

  /** By invitation id, else by onboard id: the workflow id first, which is exact, then lists, which lag behind. */
  private async find(id: string): Promise<WorkflowExecutionDescription> {
    if (!isHexId(id))
      throw new OnboardsError(
        'not_found',
        `"${id}" is not an id: invitation and onboard ids are 24 hexadecimal digits`,
      );
    const describe = async (workflowId: string) => {
      try {
        return await this.temporal.withDeadline(Date.now() + ANSWER_MS, () =>
          this.temporal.workflow.getHandle(workflowId).describe(),
        );
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return undefined;
        throw translated(error);
      }
    };
    const exact = await describe(workflowIdOf(id));
    if (exact) return exact;
    const until = Date.now() + VISIBILITY_MS;
    for (;;) {
      const [run] = await this.runs(`WorkflowType = 'onboardBuyer' AND OnboardId = '${id.toLowerCase()}'`);
      const found = run && (await describe(run.workflowId));
      if (found) return found;
      if (Date.now() >= until)
        throw new OnboardsError(
          'not_found',
          `No onboard is known here for ${id}: neither as an invitation nor as an onboard`,
        );
      await sleep(POLL_MS);
    }
  }
}

/** What a run takes from the configuration, once, at its start. */
export function policyOf({ settleMs, confirmMs, leadconduit: { timeoutMs } }: Config): Partial<Policy> {
  // Waiting for the look under way, one look, 5 s for a place, one write, and the reserve of 10 s before the end.
  return { settle_ms: settleMs, confirm_ms: confirmMs, attempt_ms: 3 * timeoutMs + 15_000, call_ms: timeoutMs };
}

const isPending = ({ record, attention, phase, stale }: OnboardState) =>
  record === null && attention === undefined && phase !== 'cancelled' && !stale;

/** What an ended run leaves to doubt: calls whose outcome it never knew, and a create that the list may hide. */
const isDoubtful = ({ effect, outcome }: messages.LedgerEntry, about: Effect) =>
  effect === about && outcome !== 'not_sent' && (effect === 'create' || outcome === 'unknown' || outcome === 'pending');

/** None asked for never conflicts; see the contract for the rest. */
function assertFlow({ requested_flow_id, record, invitation_id }: OnboardState, asked: string): void {
  const has = requested_flow_id ?? record?.flow_id?.toLowerCase();
  if (has === asked) return;
  const what = has
    ? `is for flow ${has}, not ${asked}`
    : `was started without a flow; to set one: advance --flow-id ${asked}`;
  throw new OnboardsError('refused', `conflict: the onboard of invitation ${invitation_id} ${what}`);
}

/** The state, asked for again where the worker could not answer at that moment. */
async function ask(handle: WorkflowHandle): Promise<OnboardState> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await handle.query(messages.state);
    } catch (error) {
      if (!(error instanceof QueryNotRegisteredError) || tries === TRIES) throw error;
      await sleep(POLL_MS);
    }
  }
}

/** No worker polls, or it did not answer in time. */
function isSilence(error: unknown): boolean {
  const cause =
    error instanceof ServiceError ? (error.cause as { code?: number } | undefined) : (error as { code?: number });
  const FAILED_PRECONDITION = 9;
  const DEADLINE_EXCEEDED = 4;
  // What the server makes of our deadline when it sees it pass first.
  const CANCELLED = 1;
  return [DEADLINE_EXCEEDED, CANCELLED, FAILED_PRECONDITION].includes(cause?.code ?? 0);
}

/** A worker is there, but the run's task fails again and again. */
const isStuck = (error: unknown): boolean => {
  const { cause } = error as { cause?: { details?: string } };
  return /failed state/i.test(cause?.details ?? '');
};

/** Temporal's errors in one line each. */
function translated(error: unknown): unknown {
  if (error instanceof QueryNotRegisteredError) return new OnboardsError('temporal', `Temporal: ${error.message}`);
  if (!(error instanceof ServiceError)) return error;
  const cause = error.cause as { details?: string; message?: string } | undefined;
  return new OnboardsError('temporal', `Temporal: ${cause?.details || cause?.message || error.message}`);
}
