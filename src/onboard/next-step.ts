import { isClearedByLook, needsPerson } from './raise-attention';
import type { Effect } from './lifecycle';
import { longestLag } from './schedule';
import { nextEffect, type OnboardState } from './state';

/** What a look is for: `health` is whether the key and the list work again. */
export type LookFor = 'adoption' | 'check' | 'effect' | 'health';

/** `at`: epoch ms; where that is still to come, it is waited for, and whatever happens meanwhile is decided upon anew. */
export type Step =
  | { do: 'act'; effect: Effect; at: number }
  | { do: 'look'; about: LookFor; at: number }
  /** For a message. */
  | { do: 'wait' }
  | { do: 'end'; how: 'done' | 'cancelled' };

const look = (about: LookFor, { at }: { at: number }): Step => ({ do: 'look', about, at });

/**
 * What an onboard does next: the first that applies, as in the table of `docs/architecture.md`. Not asked while a call is in
 * flight, since its outcome comes first.
 */
export function nextStep(onboard: OnboardState, now: number): Step {
  const { operation, adoption, check, cancelling, held } = onboard;

  // An unknown is settled even while held and before a cancel ends the run, unless a person is needed for it.
  const unknown = operation?.stage === 'unknown' && !needsPerson(onboard) ? operation : undefined;
  const isHopeful = !onboard.attention || (unknown && now < unknown.absence_counts_from + longestLag(onboard.policy));
  if (cancelling && unknown && isHopeful) return look('effect', unknown);
  if (cancelling) return { do: 'end', how: 'cancelled' };

  if (adoption) return look('adoption', adoption);
  // What a look shows must not take the place of a question that nobody has answered yet: it comes after the answer.
  if (needsPerson(onboard)) return { do: 'wait' };
  if (check?.why === 'asked') return look('check', check);
  if (unknown) return look('effect', unknown);
  if (check && check.at <= now) return look('check', check);

  const effect = nextEffect(onboard);
  const actAt = Math.max(operation?.at ?? 0, operation?.absence_counts_from ?? 0, onboard.not_before);
  if (effect && !held) return { do: 'act', effect, at: actAt };
  // Held, it does not act, but finds out when the key works and the list can be read again.
  if (effect && operation && isClearedByLook(onboard)) return look('health', operation);
  if (check) return look('check', check);
  if (onboard.status === 'completed') return { do: 'end', how: 'done' };
  return { do: 'wait' };
}
