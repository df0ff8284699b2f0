import {
  ApplicationFailure,
  CancellationScope,
  condition,
  setDefaultSignalHandler,
  setHandler,
} from '@temporalio/workflow';
import { MESSAGE_NAMES, MESSAGES } from '../onboard/actions';
import { applyMessage, validate } from '../onboard/apply-message';
import type { Step } from '../onboard/next-step';
import { parseMessage } from '../onboard/parse-message';
import type { OnboardState } from '../onboard/state';
import { datePhase, view } from '../onboard/view';
import { summaryOf } from './proxies';
import { ENDED, REFUSED, signals, state, updates, whenCreated } from './messages';

/** What the workflow's body needs of the handlers. */
export interface Wakeups {
  /** Resolves when a message has come, whatever became of it, or when the time of the step has come. */
  untilChanged: (step?: Extract<Step, { at: number }>) => Promise<void>;
  /** Makes a call. As soon as a hold or a cancel is accepted, it is called back if it has not been sent. */
  recallable: <T>(call: () => Promise<T>) => Promise<T>;
  /** Ends the waiting of every `whenCreated`, before the run ends. */
  answerWaiters: () => void;
}

/** Sets all handlers. They change the onboard synchronously, and the body does the rest; only `whenCreated` waits. */
export function listen(onboard: OnboardState, request_id?: string): Wakeups {
  let isChanged = false;
  let isLeaving = false;
  let callBack: () => void = () => undefined;
  const changed = () => {
    isChanged = true;
    // "Nothing is sent" must be true from now on: people hold an onboard above all to stop the completing call.
    if (onboard.held || onboard.cancelling) callBack();
    datePhase(onboard, Date.now());
    return view(onboard, Date.now());
  };
  const onSignal = (name: string, ...args: unknown[]) => {
    applyMessage(onboard, parseMessage(name, args), Date.now());
    changed();
  };

  // Early signals are delivered grouped by name; a default handler that is set first keeps their order.
  setDefaultSignalHandler(onSignal);
  for (const name of MESSAGE_NAMES) {
    const description = MESSAGES[name].does;
    setHandler(signals[name], (...args: unknown[]) => onSignal(name, ...args), { description });
    const onUpdate = (...args: unknown[]) => {
      const message = parseMessage(name, args);
      if (validate(onboard, message).kind !== 'repeat') applyMessage(onboard, message, Date.now());
      return changed();
    };
    const validator = (...args: unknown[]) => {
      const verdict = validate(onboard, parseMessage(name, args));
      if (verdict.kind === 'refuse') throw ApplicationFailure.nonRetryable(verdict.why, REFUSED);
    };
    setHandler(updates[name], onUpdate, { description, validator });
  }

  const isAnswerable = () => onboard.record !== null || onboard.attention !== undefined;
  setHandler(whenCreated, async () => {
    await CancellationScope.nonCancellable(() => condition(() => isAnswerable() || isLeaving));
    if (!isAnswerable()) throw ApplicationFailure.nonRetryable('this run ended before the onboard was created', ENDED);
    return { ...view(onboard, Date.now()), request_id };
  });
  setHandler(state, () => view(onboard, Date.now()));

  // A cancel through Temporal does the same as our `cancel` message.
  CancellationScope.current().cancelRequested.catch(() => {
    if (validate(onboard, { name: 'cancel' }).kind === 'accept')
      applyMessage(onboard, { name: 'cancel', by: 'Temporal' }, Date.now());
    changed();
  });

  return {
    async untilChanged(step) {
      // Start no timer if a message has already arrived. A replay may deliver in one activation what ran live in two, so
      // this can differ; a timer started in only one of the two cases would shift the timers' sequence numbers and break
      // determinism.
      if (!isChanged && step === undefined) await condition(() => isChanged);
      else if (!isChanged && step)
        await condition(() => isChanged, Math.max(1, step.at - Date.now()), { summary: summaryOf(step) });
      isChanged = false;
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
    answerWaiters: () => void (isLeaving = true),
  };
}
