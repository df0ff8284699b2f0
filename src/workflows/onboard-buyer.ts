import {
  allHandlersFinished,
  ApplicationFailure,
  CancelledFailure,
  CancellationScope,
  condition,
  continueAsNew,
  workflowInfo,
} from '@temporalio/workflow';
import { applyLook } from '../onboard/apply-look';
import { applyOutcome } from '../onboard/apply-outcome';
import { handOver, takeOver } from '../onboard/carry-over';
import { workflowIdOf } from '../onboard/ids';
import { inputProblem, type OnboardInput } from '../onboard/input';
import { log } from '../onboard/journal';
import { EFFECT_NAMES, type Effect } from '../onboard/lifecycle';
import { nextStep, type LookFor } from '../onboard/next-step';
import { clearAttention } from '../onboard/raise-attention';
import { begin, intend, type OnboardState } from '../onboard/state';
import { cancelledText, datePhase, view, type OnboardView } from '../onboard/view';
import { attempt, isReset, look } from './proxies';
import { listen, type Wakeups } from './listen';
import { publisher } from './publish';

/** What one run hands to the next. */
type Input = OnboardInput & { carried?: OnboardState };
type End = 'done' | 'cancelled' | 'continue';

/**
 * The life of one onboard: created once, moved on when people say so, completed once, looked at once more.
 *
 * Temporal may replay this code at any time, so every decision is made by `nextStep` and by the rules that take in what
 * happened. The body only waits and passes on the results.
 */
export async function onboardBuyer(input: OnboardInput): Promise<OnboardView> {
  const onboard = takeOverOrBegin(input);
  const wakeups = listen(onboard, input.request_id);
  const end = await CancellationScope.nonCancellable(async () => {
    const reached = await live(onboard, wakeups);
    wakeups.answerWaiters();
    await condition(allHandlersFinished);
    return reached;
  });
  if (end === 'continue') return continueAsNew<typeof onboardBuyer>(nextInput(input, onboard));
  if (end === 'cancelled') throw new CancelledFailure(cancelledText(onboard));
  return view(onboard, Date.now());
}

async function live(onboard: OnboardState, wakeups: Wakeups): Promise<End> {
  const publish = publisher(onboard);
  for (;;) {
    datePhase(onboard, Date.now());
    publish(Date.now());
    if (workflowInfo().continueAsNewSuggested) return 'continue';

    const step = nextStep(onboard, Date.now());
    if ('at' in step && step.at > Date.now()) {
      await wakeups.untilChanged(step);
      continue;
    }
    switch (step.do) {
      case 'act':
        intend(onboard, step.effect, Date.now());
        publish(Date.now());
        await act(onboard, step.effect, wakeups);
        break;
      case 'look':
        await lookFor(onboard, step.about);
        break;
      case 'wait':
        await wakeups.untilChanged();
        break;
      case 'end':
        finish(onboard, step.how);
        publish(Date.now());
        return step.how;
    }
  }
}

async function act(onboard: OnboardState, effect: Effect, wakeups: Wakeups): Promise<void> {
  const outcome = await wakeups.recallable(() => attempt(onboard, effect));
  applyOutcome(onboard, outcome, Date.now());
}

async function lookFor(onboard: OnboardState, about: LookFor): Promise<void> {
  const asked = Date.now();
  const result = await look(onboard, about);
  applyLook(onboard, about, result, asked, Date.now());
}

function finish(onboard: OnboardState, how: 'done' | 'cancelled'): void {
  onboard.ended = how;
  onboard.held = false;
  clearAttention(onboard, Date.now());
  log(onboard, Date.now(), how, { detail: how === 'cancelled' ? cancelledText(onboard) : undefined });
  datePhase(onboard, Date.now());
}

const wrong = (why: string) => ApplicationFailure.nonRetryable(why, 'OnboardInput');

/** @throws {ApplicationFailure} for an invalid input or workflow id: the run fails before anything is sent. */
function takeOverOrBegin(input: Input): OnboardState {
  const { workflowId, continuedFromExecutionRunId, originalExecutionRunId } = workflowInfo();
  if (continuedFromExecutionRunId !== undefined && input.carried)
    return takeOver(input, input.carried, originalExecutionRunId, Date.now());
  const problem = inputProblem(input);
  if (problem !== undefined) throw wrong(problem);
  // With one workflow id for each invitation, a second run cannot start beside this one.
  const id = workflowIdOf(input.invitation_id);
  if (workflowId !== id) throw wrong(`the workflow id must be ${id}`);
  return begin(input, Date.now());
}

function nextInput({ invitation_id, request_id }: OnboardInput, onboard: OnboardState): Input {
  // The next run cannot tell that this one was made by a reset, after which every call may have been sent before.
  if (isReset()) onboard.maybe_sent_before = [...EFFECT_NAMES];
  return { invitation_id, request_id, carried: handOver(onboard, workflowInfo().runId) };
}
