import type { Effect } from './lifecycle';
import { isClearedByLook, needsPerson } from './raise-attention';
import { LOOKS_AFTER } from './apply-outcome';
import { nextEffect, type Onboard } from './state';

/** What a look is for: `health` is whether the key and the list work again. */
export type LookFor = 'adoption' | 'check' | 'effect' | 'health';

export type Step =
  | { do: 'act'; effect: Effect }
  | { do: 'look'; about: LookFor }
  /** For a message; `until` (ms since the epoch) at the latest. */
  | { do: 'wait'; until?: number; then?: 'act' | 'look' }
  | { do: 'end'; how: 'done' | 'cancelled' };

/** What an onboard does now. Never asked while a call is out: the body waits for that first. */
export function nextStep(onboard: Onboard, now: number): Step {
  const { pursuit, adoption, check } = onboard;
  const once = (at: number, step: Extract<Step, { do: 'look' | 'act' }>): Step =>
    at <= now ? step : { do: 'wait', until: at, then: step.do };
  const look = (at: number, about: LookFor) => once(at, { do: 'look', about });

  // An unknown is settled even while held and before a cancel ends the run, unless a person is needed for it.
  const isSettling = pursuit?.stage === 'unknown' && !needsPerson(onboard);
  const isOpen =
    isSettling && (!onboard.attention || now < pursuit.clear_at + LOOKS_AFTER[2] * onboard.policy.settle_ms);
  if (isOpen && onboard.cancelling) return look(pursuit.at, 'effect');
  if (onboard.cancelling) return { do: 'end', how: 'cancelled' };

  if (adoption) return look(adoption.at, 'adoption');
  // What a look shows must not take the place of a question that nobody has answered yet: it comes after the answer.
  if (needsPerson(onboard)) return { do: 'wait' };
  if (check?.why === 'asked') return look(check.at, 'check');
  if (isSettling) return look(pursuit.at, 'effect');
  if (check && check.at <= now) return look(check.at, 'check');

  const effect = nextEffect(onboard);
  const actAt = Math.max(pursuit?.at ?? 0, pursuit?.clear_at ?? 0, onboard.not_before);
  if (effect && !onboard.held) return once(actAt, { do: 'act', effect });
  // Held, it does not act, but finds out when the key works and the list can be read again.
  if (effect && pursuit && isClearedByLook(onboard)) return look(pursuit.at, 'health');
  if (check) return look(check.at, 'check');
  if (onboard.status === 'completed') return { do: 'end', how: 'done' };
  return { do: 'wait' };
}
