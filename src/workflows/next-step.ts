import type { Effect } from './lifecycle';
import { needsPerson, nextEffect, type Onboard } from './onboard';

export type Step =
  | { do: 'act'; effect: Effect }
  | { do: 'look' }
  /** For a message; `until` (ms since the epoch) at the latest. */
  | { do: 'wait'; until?: number; then?: 'act' | 'look' }
  | { do: 'end'; how: 'done' | 'cancelled' };

/** What an onboard does now. Never asked while a call is out: the body waits for that first. */
export function nextStep(onboard: Onboard, now: number): Step {
  const { pursuit, check } = onboard;
  const once = (at: number, step: { do: 'look' } | { do: 'act'; effect: Effect }): Step =>
    at <= now ? step : { do: 'wait', until: at, then: step.do };

  // An unknown is settled even while held and before a cancel ends the run, unless a person is needed for it.
  const looking = pursuit?.stage === 'unknown' || pursuit?.stage === 'adopting';
  if (looking && !(onboard.cancelling && onboard.attention)) return once(pursuit.at, { do: 'look' });

  if (onboard.cancelling) return { do: 'end', how: 'cancelled' };
  if (check?.why === 'asked' || (check && check.at <= now && !needsPerson(onboard)))
    return once(check.at, { do: 'look' });
  if (needsPerson(onboard)) return { do: 'wait' };

  const effect = nextEffect(onboard);
  if (effect && !onboard.held) return once(Math.max(pursuit?.at ?? 0, onboard.not_before), { do: 'act', effect });
  if (check) return once(check.at, { do: 'look' });
  if (onboard.status === 'completed') return { do: 'end', how: 'done' };
  return { do: 'wait' };
}
