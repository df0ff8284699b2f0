import {
  allHandlersFinished,
  ApplicationFailure,
  CancelledFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineSignal,
  defineUpdate,
  setDefaultSignalHandler,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { judge, receive } from '../onboard/apply-message';
import { EFFECTS, isEffect } from '../onboard/lifecycle';
import * as messages from './messages';
import { absorbLook } from '../onboard/apply-look';
import { nextStep, type LookFor } from '../onboard/next-step';
import { publisher } from './publish';
import { readMessage } from '../onboard/parse-message';
import { attempt, isReset, look } from './activities';
import { isUndecodable } from '../onboard/undecodable';
import { cancelledText, datePhase, view } from '../onboard/view';
import { clearAttention } from '../onboard/raise-attention';
import { absorbOutcome } from '../onboard/apply-outcome';
import { tell } from '../onboard/journal';
import { handOver, takeOver } from '../onboard/carry-over';
import { begin, intend, type Onboard } from '../onboard/state';

/** What one run hands to the next. */
type Input = messages.OnboardInput & { carried?: Onboard };

/**
 * The life of one onboard: created once, moved on when people say so, completed once.
 *
 * Temporal may run this code again at any time, so every decision is made by `nextStep` and by the functions that take
 * in what happened; the body only awaits and hands over.
 */
export async function onboardBuyer(input: messages.OnboardInput): Promise<messages.OnboardState> {
  const onboard = restoreOrBegin(input);
  const inbox = listen(onboard, input.request_id);
  const result = await CancellationScope.nonCancellable(async () => {
    const end = await live(onboard, inbox);
    inbox.release();
    await condition(allHandlersFinished);
    return end;
  });
  const { invitation_id, request_id } = input;
  if (result === 'renew')
    return continueAsNew<typeof onboardBuyer>({
      ...{ invitation_id, request_id },
      carried: handOver(onboard, workflowInfo().runId),
    } as Input);
  if (result === 'cancelled') throw new CancelledFailure(cancelledText(onboard));
  return view(onboard, Date.now());
}

async function live(onboard: Onboard, inbox: Inbox): Promise<'done' | 'cancelled' | 'renew'> {
  const publish = publisher(onboard);
  for (;;) {
    datePhase(onboard, Date.now());
    publish(Date.now());
    if (workflowInfo().continueAsNewSuggested) {
      if (isReset()) onboard.doubts = [...EFFECTS];
      return 'renew';
    }
    const step = nextStep(onboard, Date.now());
    switch (step.do) {
      case 'act':
        intend(onboard, step.effect, Date.now());
        publish(Date.now());
        absorbOutcome(onboard, await inbox.recallable(() => attempt(onboard, step.effect)), Date.now());
        break;
      case 'look':
        await lookAbout(onboard, step.about);
        break;
      case 'wait':
        await inbox.mail(step.until);
        break;
      case 'end':
        onboard.ended = step.how;
        onboard.held = false;
        clearAttention(onboard, Date.now());
        tell(onboard, Date.now(), step.how, { detail: step.how === 'cancelled' ? cancelledText(onboard) : undefined });
        datePhase(onboard, Date.now());
        publish(Date.now());
        return step.how;
    }
  }
}

async function lookAbout(onboard: Onboard, about: LookFor): Promise<void> {
  const asked = Date.now();
  absorbLook(onboard, about, await look(onboard), asked, Date.now());
}

interface Inbox {
  /** Until a message has come, or the time (ms since the epoch) is there. */
  mail: (until?: number) => Promise<unknown>;
  /** Makes a call that is called back, where it has not been sent, as soon as a hold or a cancel is accepted. */
  recallable: <T>(call: () => Promise<T>) => Promise<T>;
  /** Answers those who still wait, before the run ends. */
  release: () => void;
}

/** Handlers are synchronous notes to the onboard; `live` owns every await. */
function listen(onboard: Onboard, request_id?: string): Inbox {
  let news = false;
  let leaving = false;
  let callBack: () => void = () => undefined;
  const heard = () => {
    news = true;
    // "Nothing is sent" must be true from now on: the completing call is the very one that people hold for.
    if (onboard.held || onboard.cancelling) callBack();
    datePhase(onboard, Date.now());
    return view(onboard, Date.now());
  };
  const signalled = (name: string, ...args: unknown[]) => {
    receive(onboard, readMessage(name, args), Date.now());
    heard();
  };

  // Early signals are delivered grouped by name; a default handler that is set first keeps their order.
  setDefaultSignalHandler(signalled);
  for (const [name, description] of Object.entries(DESCRIPTIONS)) {
    setHandler(defineSignal<unknown[]>(name), (...args) => signalled(name, ...args), { description });
    setHandler(
      defineUpdate<messages.OnboardState, unknown[]>(name),
      (...args) => {
        const message = readMessage(name, args);
        if (judge(onboard, message).kind !== 'repeat') receive(onboard, message, Date.now());
        return heard();
      },
      {
        description,
        validator(...args) {
          const verdict = judge(onboard, readMessage(name, args));
          if (verdict.kind === 'refuse') throw ApplicationFailure.nonRetryable(verdict.why, messages.REFUSED);
        },
      },
    );
  }

  const isAnswerable = () => onboard.record !== null || onboard.attention !== undefined;
  setHandler(messages.whenCreated, async () => {
    await CancellationScope.nonCancellable(() => condition(() => isAnswerable() || leaving));
    if (!isAnswerable())
      throw ApplicationFailure.nonRetryable('this run ended before the onboard was created', messages.ENDED);
    return { ...view(onboard, Date.now()), request_id };
  });
  setHandler(messages.state, () => view(onboard, Date.now()));

  // Temporal's own cancel is the same as ours.
  CancellationScope.current().cancelRequested.catch(() => {
    if (judge(onboard, { name: 'cancel' }).kind === 'accept')
      receive(onboard, { name: 'cancel', by: 'Temporal' }, Date.now());
    heard();
  });

  return {
    async mail(until) {
      // No timer where there is mail already: whether there is may be otherwise in a replay, which gets an update and what
      // an earlier task without commands had brought in one go or one after the other; the timers' numbers must be the same.
      if (!news && until === undefined) await condition(() => news);
      else if (!news) await condition(() => news, Math.max(1, until! - Date.now()));
      news = false;
    },
    async recallable(call) {
      const scope = new CancellationScope();
      callBack = () => scope.cancel();
      try {
        return await scope.run(call);
      } finally {
        callBack = () => undefined;
      }
    },
    release: () => void (leaving = true),
  };
}

/** Shown on Temporal's web page. All are signals and updates of the same name. */
const DESCRIPTIONS = {
  advance: 'Let the onboard go on to in_progress or completed.',
  resolve: 'Answer the attention that is open: retry or adopt.',
  hold: 'Send nothing until released.',
  release: 'Go on after a hold.',
  cancel: 'Stop following the onboard; what is in LeadConduit stays there.',
  look: "Look at LeadConduit's list now, and follow what it shows. Nothing is sent.",
  note: 'Put a line into the timeline.',
};

const wrong = (why: string) => ApplicationFailure.nonRetryable(why, 'OnboardInput');

/** @throws {ApplicationFailure} for an input or a workflow id under which nothing may ever be sent. */
function restoreOrBegin(input: Input): Onboard {
  const { workflowId, continuedFromExecutionRunId, originalExecutionRunId } = workflowInfo();
  if (continuedFromExecutionRunId !== undefined && input.carried)
    return takeOver(input, input.carried, originalExecutionRunId, Date.now());
  const problem = problemOf(input);
  if (problem !== undefined) throw wrong(problem);
  const id = `onboard-${input.invitation_id.toLowerCase()}`;
  // One id for one invitation is what keeps a second run from starting beside this one.
  if (workflowId !== id) throw wrong(`the workflow id must be ${id}`);
  return begin(input, Date.now());
}

const MONTH_MS = 30 * 86_400_000;

/** Starts by hand come with anything: what would fail the task for ever is found here. */
function problemOf(input: unknown): string | undefined {
  if (typeof input !== 'object' || input === null || isUndecodable(input)) return 'the input cannot be read';
  const { invitation_id, flow_id, label, by, reason, not_before, doubts, policy, request_id } = input as Record<
    string,
    unknown
  >;
  const isHex = (value: unknown) => typeof value === 'string' && /^[0-9a-f]{24}$/i.test(value);
  if (!isHex(invitation_id)) return 'invitation_id must be 24 hexadecimal digits';
  if (flow_id != null && !isHex(flow_id)) return 'flow_id must be 24 hexadecimal digits';
  if ([label, by, reason, request_id].some((text) => text != null && typeof text !== 'string'))
    return 'label, by, reason and request_id must be texts';
  // Without an offset it would be read in the worker's own time zone.
  if (
    not_before != null &&
    !(typeof not_before === 'string' && /(Z|[+-]\d\d:\d\d)$/i.test(not_before) && Date.parse(not_before))
  )
    return 'not_before must be a time with its offset (RFC 3339)';
  if (doubts != null && !(Array.isArray(doubts) && doubts.every(isEffect))) return 'doubts must be a list of calls';
  if (policy != null && typeof policy !== 'object') return 'policy must be an object';
  const times = Object.entries(policy ?? {});
  const isTime = ([name, ms]: [string, unknown]) =>
    Number.isFinite(ms) && (ms as number) >= (name === 'confirm_ms' ? 0 : 1) && (ms as number) <= MONTH_MS;
  return times.every(isTime) ? undefined : 'policy must hold milliseconds, 30 days at most';
}
