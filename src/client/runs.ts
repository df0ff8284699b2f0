import { setTimeout as sleep } from 'node:timers/promises';
import {
  QueryNotRegisteredError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionDescription,
  type WorkflowExecutionInfo,
  type WorkflowHandle,
} from '@temporalio/client';
import * as messages from '../workflows/messages';
import type { OnboardState } from '../workflows/messages';
import { OnboardsError } from './errors';
import { isHexId, workflowIdOf } from './ids';
import { lastKnown } from './last-known';
import { isAbandoned } from './rows';
import { isSilence, isStuck, translated } from './temporal-errors';

/** How long Temporal, or a worker, may take to answer before it counts as not running. */
export const ANSWER_MS = 5_000;
export const POLL_MS = 200;
/** How long a new onboard may take to show up in lists. */
const VISIBILITY_MS = 3_000;
/** To get an answer from a worker that has just come back. */
const TRIES = 5;

/** Reading: which run is meant, where it stands, which there are. */
export class Runs {
  constructor(private readonly temporal: Client) {}

  /** By invitation id, else by onboard id: the workflow id first, which is exact, then lists, which lag behind.
   *  @throws {OnboardsError} `not_found` */
  async find(id: string): Promise<WorkflowExecutionDescription> {
    if (!isHexId(id))
      throw new OnboardsError(
        'not_found',
        `"${id}" is not an id: invitation and onboard ids are 24 hexadecimal digits`,
      );
    const exact = await this.describe(workflowIdOf(id));
    if (exact) return exact;
    const until = Date.now() + VISIBILITY_MS;
    for (;;) {
      const [run] = await this.list(`WorkflowType = 'onboardBuyer' AND OnboardId = '${id.toLowerCase()}'`);
      const found = run && (await this.describe(run.workflowId));
      if (found) return found;
      if (Date.now() >= until)
        throw new OnboardsError(
          'not_found',
          `No onboard is known here for ${id}: neither as an invitation nor as an onboard`,
        );
      await sleep(POLL_MS);
    }
  }

  /** Undefined where there is none. */
  async describe(workflowId: string): Promise<WorkflowExecutionDescription | undefined> {
    try {
      return await this.temporal.withDeadline(Date.now() + ANSWER_MS, () =>
        this.temporal.workflow.getHandle(workflowId).describe(),
      );
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw translated(error);
    }
  }

  async list(query: string): Promise<WorkflowExecutionInfo[]> {
    const runs: WorkflowExecutionInfo[] = [];
    try {
      for await (const run of this.temporal.workflow.list({ query })) runs.push(run);
    } catch (error) {
      throw translated(error);
    }
    return runs;
  }

  /** From the run itself; the last known where no worker answers. */
  async stateOf(run: WorkflowExecutionDescription): Promise<OnboardState> {
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
