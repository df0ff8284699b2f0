import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Client,
  Connection,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type WorkflowHandle,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { attemptMsFor } from '../activities/attempt';
import type { OnboardRecord } from '../activities/outcomes';
import type { Config, Environment } from '../config';
import { connectTemporal, temporalSettings } from '../temporal/connection';
import { Identity, ownOfClient, type Own } from '../temporal/identity';
import { withSettingsOf } from '../temporal/up-file';
import { hasReached } from '../onboard/lifecycle';
import * as messages from '../workflows/messages';
import type { OnboardInput, OnboardState, Policy } from '../workflows/messages';
import { KEYS } from '../workflows/search-attributes';
import { asMarkdown, cleanLine } from '../onboard/text';
import { doubtsLeftBy } from './doubts';
import { OnboardsError } from './errors';
import { workflowIdOf } from '../onboard/ids';
import {
  isAbandoned,
  listQuery,
  matches,
  newestRuns,
  quoted,
  recordOf,
  rowOf,
  type Filters,
  type Row,
  type RowWithRecord,
} from './rows';
import { ANSWER_MS, POLL_MS, Runs, TRIES } from './runs';
import { isInterrupted, translated, within } from './temporal-errors';

export { OnboardsError } from './errors';
export type { Filters, Row, RowWithRecord } from './rows';

export type Request = Pick<OnboardInput, 'invitation_id' | 'flow_id' | 'label'> & Pick<messages.Plain, 'by' | 'reason'>;
export type Command = { [Name in CommandName]: { name: Name } & Payload<Name> }[CommandName];
type CommandName = 'advance' | 'resolve' | 'hold' | 'release' | 'cancel' | 'look' | 'note';
type Payload<Name extends string> = Name extends 'advance'
  ? messages.Advance
  : Name extends 'resolve'
    ? messages.Resolve
    : Name extends 'note'
      ? messages.Note
      : messages.Plain;

interface KnownOnboard {
  id: string;
  /** It was created here. */
  isOurs: boolean;
  /** LeadConduit's list has shown it. */
  isListed: boolean;
  /** Epoch ms: it was there by then. */
  since: number;
}

/** So many starts at once may have to wait for one another. */
const START_MS = 30_000;
/** Between two questions to a run that takes long. */
const MOST_PAUSE_MS = 2_000;

/** The one typed door to Temporal: nothing else knows workflow ids, id policies and list filters. */
export class OnboardsClient {
  private readonly runs: Runs;
  private readonly identity: Identity;

  /** @param own for whom it is, where it is not for whoever the server is */
  constructor(
    private readonly temporal: Client,
    private readonly settings: { taskQueue: string; policy: Partial<Policy> },
    own?: Own,
  ) {
    this.runs = new Runs(temporal, settings.taskQueue);
    this.identity = new Identity(temporal, settings.taskQueue, own);
  }

  /** @throws {TemporalUnavailable}, {ConfigError} when the server is another upstream's */
  static async connect(config: Config, env: Environment): Promise<OnboardsClient> {
    const settings = temporalSettings(config, env);
    const connection = await connectTemporal(settings, (options) => Connection.connect(options));
    const own = ownOfClient(config, settings);
    const client = OnboardsClient.over(connection, settings.namespace, withSettingsOf(settings.up, config, env), own);
    try {
      await client.upstream();
      return client;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  static over(connection: Connection, namespace: string, config: Config, own?: Own): OnboardsClient {
    const settings = { taskQueue: config.taskQueue, policy: policyOf(config) };
    return new OnboardsClient(new Client({ connection, namespace }), settings, own);
  }

  /** Whose onboards these are: LeadConduit's address, or `emulator`; undefined as long as no worker has been on the server.
   *  @throws {ConfigError} when they turn out to be another's than this client is for */
  upstream(): Promise<string | undefined> {
    return this.identity.upstream();
  }

  close(): Promise<void> {
    return this.temporal.connection.close();
  }

  /** @throws {OnboardsError} `temporal` when it does not answer. */
  async ping(): Promise<void> {
    await within(this.temporal, ANSWER_MS, () => this.temporal.workflowService.getSystemInfo({}));
  }

  /**
   * Starts the onboard of an invitation, or finds the one that exists: repeated, it starts nothing.
   * One that is on another task queue is refused, as it is wherever an id is taken.
   * A run that was cancelled, failed or was terminated is followed by a new one, which looks first and adopts.
   * @param withinMs how long Temporal may take for each of its answers
   */
  async start(request: Request, withinMs = START_MS): Promise<void> {
    const start = (...args: Parameters<typeof this.startOptions>) =>
      this.temporal.withDeadline(Date.now() + withinMs, () =>
        this.temporal.workflow.start('onboardBuyer', this.startOptions(...args)),
      );
    await this.identity.claimForStart();
    try {
      await start(request, 'REJECT_DUPLICATE');
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw translated(error);
      const last = await this.runs.find(request.invitation_id);
      if (!isAbandoned(last)) return;
      // The last run's call may land until a settle time after its end.
      const settled = (last.closeTime ?? new Date()).getTime() + (this.settings.policy.settle_ms ?? 60_000);
      const doubts = await doubtsLeftBy(this.temporal, last, await this.runs.stateOf(last));
      const following = { ...request, not_before: new Date(settled).toISOString(), doubts: [...doubts] };
      await start(following, 'ALLOW_DUPLICATE_FAILED_ONLY').catch((error: unknown) => {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw translated(error);
      });
    }
  }

  private startOptions(
    request: Request & Pick<OnboardInput, 'not_before' | 'doubts' | 'request_id'>,
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
    request: Request,
    waitMs: number,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<{ state: OnboardState; isNew: boolean }> {
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
    const run = answer && (await this.runs.find(request.invitation_id));
    const state = run && (await this.runs.stateOf(run));
    // Cancelled while this waited for it: to start it again would be to overrule whoever did.
    if (state?.phase === 'cancelled' && run?.closeTime !== undefined && run.closeTime.getTime() >= began)
      return { state, isNew: false };
    if (!state || state.phase === 'cancelled')
      await this.start(request, Math.max(2 * ANSWER_MS, deadline - Date.now()));
    const created = await this.whenCreated(request, Math.max(0, deadline - Date.now()), signal);
    // A run that was cancelled had not got that far.
    const isMade = created.ledger.some(({ effect, outcome }) => effect === 'create' && outcome === 'done');
    return { state: created, isNew: state?.phase === 'cancelled' && isMade };
  }

  /** Undefined when there was no answer in time, or none from a run that can still be asked; `ended` when that run ended first. */
  private async startAndAsk(request: Request & { request_id: string }, deadline: number, signal: AbortSignal) {
    const startWorkflowOperation = new WithStartWorkflowOperation(
      'onboardBuyer',
      this.startOptions(request, 'REJECT_DUPLICATE'),
    );
    try {
      return await this.waiting(deadline, signal, () =>
        this.temporal.workflow.executeUpdateWithStart(messages.whenCreated, {
          updateId: messages.WHEN_CREATED_ID,
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
    { invitation_id, flow_id }: Request,
    waitMs: number,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<OnboardState> {
    const deadline = Date.now() + waitMs;
    const isOver = () => Date.now() >= deadline || signal.aborted;
    const handle = this.temporal.workflow.getHandle(workflowIdOf(invitation_id));
    // A run that ended or continued as new meanwhile answers nobody: ask the one that follows.
    while (!isOver() && (await this.isBeingCreated(handle, deadline, signal))) await sleep(POLL_MS);
    let state = await this.state(invitation_id);
    // The answer stays the run's first; an attention may have been cleared since, and the create be under way again.
    while (isPending(state) && !isOver()) {
      await sleep(POLL_MS);
      state = await this.state(invitation_id);
    }
    if (flow_id !== undefined) assertFlow(state, flow_id.toLowerCase());
    return state;
  }

  /** Waits for the answer, whose state is as old as the record. True when it must be asked for again: its run ended without
   *  one and another follows, or its task failed just then. */
  private async isBeingCreated(handle: WorkflowHandle, deadline: number, signal: AbortSignal): Promise<boolean> {
    try {
      await this.waiting(deadline, signal, () =>
        handle.executeUpdate(messages.whenCreated, { updateId: messages.WHEN_CREATED_ID }),
      );
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

  /** Of its run, on Temporal's web page. */
  runAddress(webPage: string, invitation: string): string {
    return `${webPage}/namespaces/${this.temporal.options.namespace}/workflows/${workflowIdOf(invitation)}`;
  }

  /** @param signal ends the waiting for an id that lists do not show yet. @throws {OnboardsError} `not_found` */
  async state(id: string, signal?: AbortSignal): Promise<OnboardState> {
    return this.runs.stateOf(await this.runs.find(id, signal));
  }

  /** Asks again until `isOver`, less and less often, or for `waitMs`. */
  async follow(
    state: OnboardState,
    waitMs: number,
    isOver: (state: OnboardState) => boolean,
    signal?: AbortSignal,
  ): Promise<OnboardState> {
    const deadline = Date.now() + waitMs;
    const isEnded = ({ phase }: OnboardState) => ['done', 'cancelled'].includes(phase);
    for (
      let pause = POLL_MS;
      Date.now() < deadline && signal?.aborted !== true;
      pause = Math.min(2 * pause, MOST_PAUSE_MS)
    ) {
      if (isOver(state) || isEnded(state)) break;
      await sleep(Math.min(pause, deadline - Date.now()));
      state = await this.state(state.invitation_id);
    }
    return state;
  }

  /**
   * Sends a message and answers the state right after it.
   * @throws {OnboardsError} `refused` with the reason; `not_found`; `no_worker`.
   */
  async send(id: string, { name, ...payload }: Command): Promise<OnboardState> {
    const run = await this.runs.find(id);
    const body = { ...payload, key: payload.key ?? randomUUID() };
    const closed = async () => {
      // It may have ended since it was found.
      const state = await this.state(id);
      if (name === 'advance' && hasReached(state.status, (payload as messages.Advance).to)) return state;
      throw new OnboardsError(
        'refused',
        `${name} refused: ${state.phase === 'done' ? 'the onboard is completed' : 'the onboard is not followed any more'}`,
      );
    };
    if (run.status.name !== 'RUNNING') return closed();
    try {
      return await uninterrupted(() =>
        this.temporal.withDeadline(Date.now() + 2 * ANSWER_MS, () =>
          this.temporal.workflow
            .getHandle(run.workflowId)
            .executeUpdate<OnboardState, [typeof body]>(name, { args: [body] }),
        ),
      );
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return closed();
      if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)
        throw new OnboardsError(
          'no_worker',
          `No worker answered within ${(2 * ANSWER_MS) / 1000} s: start one with \`npm start\` or \`npm run worker\`. The ${name} may still be carried out then; repeated with the key ${body.key} it acts once.`,
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

  /** Durable at once, carried out when a worker runs. With a key a worker has to say whether it was used for something else. */
  async note(id: string, payload: messages.Note): Promise<void> {
    if (payload.key !== undefined) {
      await this.send(id, { name: 'note', ...payload });
      return;
    }
    const run = await this.runs.find(id);
    const ended = new OnboardsError('refused', 'note refused: the onboard has ended');
    if (run.status.name !== 'RUNNING') throw ended;
    await within(this.temporal, 2 * ANSWER_MS, () =>
      this.temporal.workflow
        .getHandle(run.workflowId)
        .signal(messages.note, payload)
        // It may have ended since it was found.
        .catch((error: unknown) => {
          throw error instanceof WorkflowNotFoundError ? ended : error;
        }),
    );
  }

  /** Oldest first. */
  async list(filters: Filters = {}): Promise<Row[]> {
    const runs = newestRuns(await this.allRuns());
    return runs
      .map(rowOf)
      .filter((row) => matches(row, filters))
      .sort((a, b) => a.since.localeCompare(b.since));
  }

  /** All of them, in no order. */
  async rowsWithRecords(): Promise<RowWithRecord[]> {
    const runs = newestRuns(await this.allRuns());
    return runs.map((run) => ({ ...rowOf(run), record: recordOf(run) }));
  }

  /** The records of all onboards, as LeadConduit showed each last; oldest first. */
  async records(): Promise<OnboardRecord[]> {
    const runs = await this.allRuns();
    const records = newestRuns(runs.filter((run) => recordOf(run) !== null)).map((run) => recordOf(run)!);
    const age = ({ created_at, id }: OnboardRecord) => `${created_at ?? ''} ${id}`;
    return records.sort((a, b) => age(a).localeCompare(age(b)));
  }

  private allRuns = () => this.runs.list(listQuery(this.settings.taskQueue));

  /** Onboards that are known here, the newest first: what tells a worker that starts which lists can be believed. */
  async known(limit: number): Promise<KnownOnboard[]> {
    const query = `${listQuery(this.settings.taskQueue)} AND OnboardOrigin IS NOT NULL`;
    const known: KnownOnboard[] = [];
    for await (const { typedSearchAttributes: read, startTime } of this.temporal.workflow.list({
      query,
      pageSize: limit,
    })) {
      const id = read.get(KEYS.OnboardId);
      const isOurs = read.get(KEYS.OnboardOrigin) === 'created';
      // A list has shown it that was adopted, and one that was moved on: the look before the call did.
      const isMoved = hasReached(read.get(KEYS.OnboardStatus) ?? null, 'in_progress');
      const since = (read.get(KEYS.OnboardSince) ?? startTime).getTime();
      if (id && known.push({ id, isOurs, isListed: !isOurs || isMoved, since }) >= limit) break;
    }
    return known;
  }

  /** Which of these onboards people have said to be gone from LeadConduit. */
  async gone(onboardIds: readonly string[]): Promise<string[]> {
    const among = onboardIds.map(quoted).join(', ');
    const runs = await this.runs.list(`${listQuery(this.settings.taskQueue)} AND OnboardGone IN (${among})`);
    return runs.flatMap((run) => run.typedSearchAttributes.get(KEYS.OnboardGone) ?? []);
  }

  /** Whether any onboard is followed at the moment. */
  async isAnyOpen(): Promise<boolean> {
    const query = `${listQuery(this.settings.taskQueue)} AND ExecutionStatus = 'Running'`;
    return (await within(this.temporal, ANSWER_MS, () => this.temporal.workflow.count(query))).count > 0;
  }

  /** Tells a run, where one is followed, that LeadConduit lists several onboards of its invitation: it looks for itself. */
  async tellDoubled(invitation: string, onboardIds: readonly string[], key: string): Promise<void> {
    const reason = `LeadConduit lists ${onboardIds.length} onboards of this invitation`;
    const run = await this.runs.describe(workflowIdOf(invitation)).catch((error: unknown) => {
      if (!(error instanceof OnboardsError && error.code === 'refused')) throw error;
    });
    // Nobody follows it here.
    if (!run) return;
    const handle = this.temporal.workflow.getHandle(run.workflowId);
    await within(this.temporal, ANSWER_MS, () =>
      handle
        .signal(messages.look, { by: 'the worker', reason, onboard_ids: onboardIds.slice(0, 50), key })
        .catch((error: unknown) => {
          // Nor any more.
          if (!(error instanceof WorkflowNotFoundError)) throw error;
        }),
    );
  }
}

/** What a run takes from the configuration, once, at its start. */
export function policyOf({ settleMs, confirmMs, leadconduit: { timeoutMs } }: Config): Partial<Policy> {
  return { settle_ms: settleMs, confirm_ms: confirmMs, attempt_ms: attemptMsFor(timeoutMs) };
}

/** Sent again where the run was interrupted; its key makes that safe. */
async function uninterrupted<T>(send: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await send();
    } catch (error) {
      if (!isInterrupted(error) || tries === TRIES) throw error;
      await sleep(POLL_MS);
    }
  }
}

/**
 * The attention that a `resolve` which names none is to answer: always named, so that a second one does not answer the
 * next question. @throws {OnboardsError} `no_worker` when it is not known
 */
export function openAttention({ attention, stale, waiting_for }: OnboardState): string {
  if (stale && waiting_for.who !== 'nobody')
    throw new OnboardsError('no_worker', `Nothing can be resolved now: it waits for ${waiting_for.text}`);
  return attention?.id ?? 'none';
}

/** Whether a `resolve retry` would, if the look before it shows nothing, send the completing call. */
export const retryCompletes = ({ attention, ledger }: OnboardState): boolean => {
  const last = ledger.at(-1);
  return attention !== undefined && last?.effect === 'completed' && last.outcome !== 'done';
};

const isPending = ({ record, attention, phase, stale }: OnboardState) =>
  record === null && attention === undefined && phase !== 'cancelled' && !stale;

/** None asked for never conflicts; see the contract for the rest. */
function assertFlow({ requested_flow_id, record, invitation_id, status }: OnboardState, asked: string): void {
  const has = requested_flow_id ?? record?.flow_id?.toLowerCase();
  if (has === asked) return;
  const without = hasReached(status, 'in_progress')
    ? `is ${status} without a flow: nothing was changed`
    : `was started without a flow; to set one: advance --flow-id ${asked}`;
  const what = has ? `is for flow ${has}, not ${asked}: nothing was changed` : without;
  throw new OnboardsError('refused', `conflict: the onboard of invitation ${invitation_id} ${what}`);
}
