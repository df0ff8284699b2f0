/** One onboard, and what people and operators can do to it with our client and Temporal's own tools; `thrice` does it with three. */
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import { OnboardsError } from '../../src/client';
import type { OnboardView, Phase } from '../../src/onboard/view';
import { newId, World, type Fault, type WorldOptions } from '../../test/support/world';
import { workflowIdOf } from '../../src/onboard/ids';

type Command = Parameters<World['send']>[0];
interface ActivityOptions {
  retryPolicy: { maximumAttempts: number };
  startToCloseTimeout?: { seconds: number };
}

/** `enums.v1.PendingActivityState` */
const PAUSED = 4;
const long = (low: number) => ({ low, high: 0, unsigned: false }) as never;

export async function eventually(what: string, is: () => Promise<boolean>, waitMs = 60_000): Promise<void> {
  const deadline = Date.now() + waitMs;
  while (!(await is())) {
    if (Date.now() > deadline) throw new Error(`never ${what}`);
    await sleep(100);
  }
}

/** One of several onboards of a world. */
export class Onboard {
  readonly workflowId: string;

  constructor(
    readonly world: World,
    readonly invitation = newId(),
  ) {
    this.workflowId = workflowIdOf(invitation);
  }

  start = () => this.world.start({ invitation_id: this.invitation });
  effects = () => this.world.effects(this.invitation);
  state = () => this.world.onboards.get(this.invitation).state();
  /** The state as its run answers it, not the last known. */
  answered = () => this.until('answered', () => true);
  signal = (name: string, payload: object) => this.handle.signal(name, payload);
  created = () => this.until('created', ({ status }) => status === 'created');
  /** Waits until the emulator has received this many calls for it. */
  sent = (calls: 'posts' | 'puts', count: number) =>
    eventually(`${count} ${calls}`, async () => (await this.effects())[calls] >= count);

  /** Sends as a client does: a message that no worker answered in time is repeated with its key. */
  async send(command: Command): Promise<OnboardView> {
    const keyed = { key: newId(), ...command };
    for (let tries = 1; ; tries += 1)
      try {
        return await this.world.onboards.get(this.invitation).send(keyed);
      } catch (error) {
        if (tries === 6 || !(error instanceof OnboardsError && error.code === 'no_worker')) throw error;
      }
  }

  get handle() {
    return this.world.temporal.workflow.getHandle(this.workflowId);
  }

  /** A state that the worker answers, however busy the machine is: the last known has neither ledger nor timeline. */
  async until(what: string, is: (state: OnboardView) => boolean, waitMs?: number): Promise<OnboardView> {
    let state = await this.state();
    const isIt = async () => {
      state = await this.state();
      return (!state.stale || state.waiting_for.who === 'nobody') && is(state);
    };
    await eventually(what, isIt, waitMs).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(state, null, 1)}`);
    });
    return state;
  }

  async toInProgress(): Promise<void> {
    await this.send({ name: 'advance', to: 'in_progress' });
    await this.until('in_progress', ({ status, phase }) => status === 'in_progress' && phase === 'waiting');
  }

  // -- the call that is out

  pause = async () => this.service.pauseActivity(await this.activity());
  unpause = async (flags: { resetAttempts?: boolean; resetHeartbeat?: boolean } = {}) =>
    this.service.unpauseActivity({ ...(await this.activity()), ...flags });
  resetActivity = async (flags: { resetHeartbeat?: boolean; restoreOriginalOptions?: boolean } = {}) =>
    this.service.resetActivity({ ...(await this.activity()), ...flags });

  async updateOptions({ retryPolicy, startToCloseTimeout: time }: ActivityOptions): Promise<void> {
    const startToCloseTimeout = time && { seconds: long(time.seconds), nanos: 0 };
    const paths = ['retry_policy.maximum_attempts', ...(time ? ['start_to_close_timeout'] : [])];
    const options = { activityOptions: { retryPolicy, startToCloseTimeout }, updateMask: { paths } };
    await this.service.updateActivityOptions({ ...(await this.activity()), ...options });
  }

  /** Waits until the paused activity's attempt has failed, and Temporal holds it back. */
  heldBack = () => eventually('held back', async () => Number((await this.pending())?.state) === PAUSED);

  private pending = async () => (await this.handle.describe()).raw.pendingActivities?.[0];
  private async activity() {
    const id = (await this.pending())?.activityId;
    return { namespace: 'default', execution: { workflowId: this.workflowId }, id };
  }

  // -- the run

  reset = () =>
    this.service.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: this.workflowId },
      workflowTaskFinishEventId: long(4),
      requestId: newId(),
      reason: 'slip of a hand',
    });

  async resetByBatch(): Promise<void> {
    const { runId } = await this.handle.describe();
    await this.service.startBatchOperation({
      namespace: 'default',
      jobId: newId(),
      reason: 'slip of a hand',
      executions: [{ workflowId: this.workflowId, runId }],
      resetOperation: { options: { firstWorkflowTask: {} } },
    });
    await eventually('reset', async () => (await this.handle.describe()).runId !== runId);
  }

  async terminateAndStart(): Promise<void> {
    await this.handle.terminate('slip of a hand');
    await this.start();
  }

  async deleteAndStart(): Promise<void> {
    await this.service.deleteWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: this.workflowId },
    });
    const query = `WorkflowId = '${this.workflowId}'`;
    await eventually(
      'deleted',
      async () => {
        const isKnown = await this.handle.describe().then(
          () => true,
          (error: unknown) => !(error instanceof WorkflowNotFoundError),
        );
        return !isKnown && (await this.world.temporal.workflow.count(query)).count === 0;
      },
      60_000,
    );
    await this.start();
  }

  /** All phases that the run has published to lists, in their order. */
  async phases(): Promise<Phase[]> {
    const { events } = await this.handle.fetchHistory();
    const told = (events ?? []).flatMap(({ upsertWorkflowSearchAttributesEventAttributes: upsert }) => {
      const { data } = upsert?.searchAttributes?.indexedFields?.OnboardPhase ?? {};
      return data ? [JSON.parse(new TextDecoder().decode(data)) as Phase] : [];
    });
    return told.filter((phase, n) => phase !== told[n - 1]);
  }

  private get service() {
    return this.world.temporal.workflowService;
  }
}

export interface Scene {
  options?: WorldOptions;
  lag_ms?: number;
  /** How far the onboards are before the faults are planned and the scenario begins. */
  from?: 'created' | 'in_progress';
  faults?: Fault[];
}

/** Does something that concerns the whole world: once, when all three have come so far; then all go on. */
export type Together = (work: () => Promise<unknown>) => Promise<void>;

/** Runs a scenario with three onboards of one world at the same time; the faults come for each of them. */
export async function thrice(
  scene: Scene,
  play: (onboard: Onboard, together: Together) => Promise<void>,
): Promise<void> {
  const { options, lag_ms = 0, from, faults = [] } = scene;
  // Calls for which the emulator takes its time must not keep the others waiting.
  const settings = { LEADCONDUIT_MAX_CONCURRENCY: '20', ...options?.settings };
  const world = await World.start({ ...options, settings });
  try {
    await world.emulate({ lag_ms });
    const onboards = [1, 2, 3].map(() => new Onboard(world));
    await all(onboards.map((onboard) => bring(onboard, from)));
    await world.faults(
      ...onboards.flatMap(({ invitation: invitation_id }) => faults.map((fault) => ({ ...fault, invitation_id }))),
    );
    const { together, giveUp } = meetingOf(onboards.length);
    await all(
      onboards.map((onboard) =>
        play(onboard, together).catch((error: unknown) => {
          giveUp(error);
          throw error;
        }),
      ),
    );
  } finally {
    await world.close();
  }
}

function meetingOf(count: number) {
  let here: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  let failure: { error: unknown } | undefined;
  const leave = (how: (one: (typeof here)[number]) => void) => {
    const those = here;
    here = [];
    those.forEach(how);
  };
  const giveUp = (error: unknown) => {
    failure ??= { error };
    leave(({ reject }) => reject(error));
  };
  const together: Together = (work) =>
    new Promise((resolve, reject) => {
      here.push({ resolve, reject });
      if (failure) giveUp(failure.error);
      else if (here.length === count) work().then(() => leave((one) => one.resolve()), giveUp);
    });
  return { together, giveUp };
}

async function bring(onboard: Onboard, to: Scene['from']): Promise<void> {
  if (to === undefined) return;
  await onboard.start();
  await onboard.created();
  if (to === 'in_progress') await onboard.toInProgress();
}

/** Waits for all, also when one fails. */
async function all(plays: Promise<void>[]): Promise<void> {
  for (const played of await Promise.allSettled(plays)) if (played.status === 'rejected') throw played.reason;
}
