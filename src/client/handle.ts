import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type Client,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { MessageName } from '../onboard/actions';
import { hasReached } from '../onboard/lifecycle';
import type { Message, Payload } from '../onboard/parse-message';
import type { OnboardView } from '../onboard/view';
import { REFUSED, signals, updates } from '../workflows/messages';
import { OnboardsError } from './onboards-error';
import { ANSWER_MS, MOST_PAUSE_MS, POLL_MS, TRIES, type Runs } from './runs';
import { isInterrupted, translated, within } from './temporal-errors';

/** One onboard: found once, then queried and sent messages. */
export class OnboardHandle {
  #workflowId: string | undefined;

  /**
   * @param id the id of the invitation or of the onboard
   * @param signal ends the wait for an id that lists do not show yet
   */
  constructor(
    private readonly temporal: Client,
    private readonly runs: Runs,
    private readonly id: string,
    private readonly signal?: AbortSignal,
  ) {}

  /** The current state. @throws {OnboardsError} `not_found`; `refused` when it is on another task queue; `temporal` */
  async state(): Promise<OnboardView> {
    return this.runs.stateOf(await this.run());
  }

  /**
   * Polls the state until `isOver`, until the onboard has ended, or for `waitMs`. The pauses get longer.
   * @param state the last known state
   * @param signal ends the wait early
   */
  async follow(
    state: OnboardView,
    waitMs: number,
    isOver: (state: OnboardView) => boolean,
    signal?: AbortSignal,
  ): Promise<OnboardView> {
    const deadline = Date.now() + waitMs;
    const isEnded = ({ phase }: OnboardView) => ['done', 'cancelled'].includes(phase);
    for (
      let pause = POLL_MS;
      Date.now() < deadline && signal?.aborted !== true;
      pause = Math.min(2 * pause, MOST_PAUSE_MS)
    ) {
      if (isOver(state) || isEnded(state)) break;
      await sleep(Math.min(pause, deadline - Date.now()));
      state = await this.state();
    }
    return state;
  }

  /**
   * Sends a message and answers the state right after it. A `resolve` with neither an attention nor a key answers the
   * attention that is open now. With either, it answers one question only, however often it is sent. A note without a key
   * is durable at once, and takes effect when a worker runs.
   * @throws {OnboardsError} `refused` with the reason; `not_found`; `no_worker`.
   */
  async send(message: Message): Promise<OnboardView> {
    if (message.name === 'note' && message.key === undefined) return this.signalNote(message);
    const { name, ...payload } = message;
    if (message.name === 'resolve' && message.attention === undefined && message.key === undefined)
      Object.assign(payload, { attention: openAttention(await this.state()) });
    return this.update(name, { ...payload, key: payload.key ?? randomUUID() });
  }

  /** Tells the run, if the invitation is followed here, that LeadConduit lists several onboards of it. The run then looks. */
  async tellDoubled(onboardIds: readonly string[], key: string): Promise<void> {
    const reason = `LeadConduit lists ${onboardIds.length} onboards of this invitation`;
    const run = await this.runs.ofInvitation(this.id).catch((error: unknown) => {
      if (!(error instanceof OnboardsError && error.code === 'refused')) throw error;
    });
    if (!run) return;
    const payload = { by: 'the worker', reason, onboard_ids: onboardIds.slice(0, 50), key };
    await within(this.temporal, ANSWER_MS, () =>
      this.temporal.workflow
        .getHandle(run.workflowId)
        .signal(signals.look, payload)
        .catch((error: unknown) => {
          // The run has ended, so there is nothing to tell it.
          if (!(error instanceof WorkflowNotFoundError)) throw error;
        }),
    );
  }

  /** The newest run of the onboard, as Temporal describes it now. */
  private async run(): Promise<WorkflowExecutionDescription> {
    const run = await (this.#workflowId === undefined
      ? this.runs.find(this.id, this.signal)
      : this.runs.again(this.#workflowId));
    this.#workflowId = run.workflowId;
    return run;
  }

  /** Sends an update, and sends it again when the run was interrupted. The key in the payload makes that safe. */
  private async update(name: MessageName, payload: Payload<MessageName> & { key?: string }): Promise<OnboardView> {
    const run = await this.run();
    if (run.status.name !== 'RUNNING') return this.answerEnded(name, payload);
    const handle = this.temporal.workflow.getHandle(run.workflowId);
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.temporal.withDeadline(Date.now() + 2 * ANSWER_MS, () =>
          handle.executeUpdate<OnboardView, [typeof payload]>(updates[name].name, { args: [payload] }),
        );
      } catch (error) {
        // The run may have ended since it was found.
        if (error instanceof WorkflowNotFoundError) return this.answerEnded(name, payload);
        if (!isInterrupted(error) || tries === TRIES) throw asOnboardsError(error, name, payload.key);
        await sleep(POLL_MS);
      }
    }
  }

  /** Answers a message to an onboard that has ended: with its state if it has reached the target, else with a refusal. */
  private async answerEnded(name: MessageName, payload: Partial<Payload<'advance'>>): Promise<OnboardView> {
    const state = await this.state();
    if (name === 'advance' && payload.to && hasReached(state.status, payload.to)) return state;
    if (!['done', 'cancelled'].includes(state.phase))
      throw new OnboardsError('refused', `${name} refused: the onboard ended, and was started again meanwhile`);
    const why = state.phase === 'done' ? 'the onboard is completed' : 'the onboard is not followed any more';
    throw new OnboardsError('refused', `${name} refused: ${why}`);
  }

  private async signalNote(payload: Payload<'note'>): Promise<OnboardView> {
    const run = await this.run();
    const ended = new OnboardsError('refused', 'note refused: the onboard has ended');
    if (run.status.name !== 'RUNNING') throw ended;
    const { text, by } = payload;
    await within(this.temporal, 2 * ANSWER_MS, () =>
      this.temporal.workflow
        .getHandle(run.workflowId)
        .signal(signals.note, { text, by })
        // The run may have ended since it was found.
        .catch((error: unknown) => {
          throw error instanceof WorkflowNotFoundError ? ended : error;
        }),
    );
    return this.state();
  }
}

function asOnboardsError(error: unknown, name: MessageName, key: string | undefined): unknown {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)
    return new OnboardsError(
      'no_worker',
      `No worker answered within ${(2 * ANSWER_MS) / 1000} s: start one with \`npm start\` or \`npm run worker\`. The ${name} may still be carried out when a worker runs. If you repeat it with the key ${key ?? ''}, it takes effect only once.`,
    );
  if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure)
    if (error.cause.type === REFUSED) return new OnboardsError('refused', `${name} refused: ${error.cause.message}`);
  return translated(error);
}

/**
 * The attention that a `resolve` without one answers. It is always named, so that a second `resolve` does not answer the
 * next question. @throws {OnboardsError} `no_worker` when no worker can say which one is open
 */
function openAttention({ attention, stale, waiting_for }: OnboardView): string {
  if (stale && waiting_for.who !== 'nobody')
    throw new OnboardsError('no_worker', `Nothing can be resolved now: it waits for ${waiting_for.text}`);
  return attention?.id ?? 'none';
}
