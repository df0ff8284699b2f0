import type { OnboardsClient } from '../client';
import type { OnboardView, Phase } from '../onboard/view';
import { EXIT, outcomeCode } from './exit';
import type { Answer } from './answering';
import { briefText } from './describe';
import { standardOutput, telling } from './terminal';
import { span } from '../onboard/words';

/** Follows an onboard until `isOver`, its end or `waitMs`; a terminal shows that the command waits. */
export const follow = (
  onboards: OnboardsClient,
  state: OnboardView,
  waitMs: number,
  isOver: (state: OnboardView) => boolean,
): Promise<OnboardView> => telling(waiting(waitMs), onboards.get(state.invitation_id).follow(state, waitMs, isOver));

const WAITS_FOR_PERSON: readonly Phase[] = ['attention', 'held'];

export const waiting = (waitMs: number) => `Waiting up to ${span(waitMs)}; Ctrl-C ends only the waiting`;

/** Waits for the effect of a message, and answers the outcome. */
export async function followUp(
  onboards: OnboardsClient,
  sent: OnboardView,
  { wait, isReached, done }: { wait: number; isReached: (state: OnboardView) => boolean; done: string },
): Promise<Answer> {
  const state = await follow(onboards, sent, wait, (now) => isReached(now) || WAITS_FOR_PERSON.includes(now.phase));
  return answerWith(state, outcomeCode(state, isReached(state)), done);
}

export const answerWith = (state: OnboardView, code: number, done: string): Answer => ({
  code,
  json: state,
  text: briefText(headline(code, done, state), state, standardOutput()),
});

/** The first line of a command's answer about an onboard. */
function headline(code: number, done: string, { stale, phase }: OnboardView): string {
  if (code === EXIT.done) return done;
  if (code === EXIT.attention) return 'Accepted. It needs attention now.';
  if (stale) return 'Accepted. It goes on when a worker runs.';
  return phase === 'held'
    ? 'Accepted. It is held: nothing is sent until it is released.'
    : 'Accepted, and still under way: it goes on by itself.';
}
