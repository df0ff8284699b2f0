import { isClearedByLook, needsPerson } from './raise-attention';
import type { Effect } from './lifecycle';
import { longestLag } from './schedule';
import { nextEffect, type OnboardState } from './state';

/** What a look is for. `health`: to see whether the key and the list work again. */
export type LookFor = 'adoption' | 'check' | 'effect' | 'health';

/** `at`: epoch ms. The workflow waits for a future time or for a message, whichever is first, and decides again. */
export type Step =
  | { do: 'act'; effect: Effect; at: number }
  | { do: 'look'; about: LookFor; at: number }
  /** Wait for a message. */
  | { do: 'wait' }
  | { do: 'end'; how: 'done' | 'cancelled' };

const lookStep = (about: LookFor, { at }: { at: number }): Step => ({ do: 'look', about, at });

/**
 * What an onboard does next: the first rule that applies, in the order of the table in `docs/architecture.md`. While a
 * call is in flight, its outcome comes first and the result does not count.
 */
export function nextStep(onboard: OnboardState, now: number): Step {
  const { operation, adoption, check, cancelling, held } = onboard;

  // An unknown outcome is settled even if the onboard is held or being cancelled, unless a person has to decide first.
  const unknown = operation?.stage === 'unknown' && !needsPerson(onboard) ? operation : undefined;
  const isHopeful = !onboard.attention || (unknown && now < unknown.absence_counts_from + longestLag(onboard.policy));
  if (cancelling && unknown && isHopeful) return lookStep('effect', unknown);
  if (cancelling) return { do: 'end', how: 'cancelled' };

  if (adoption) return lookStep('adoption', adoption);
  // What a look shows must not take the place of a question that nobody has answered yet: it comes after the answer.
  if (needsPerson(onboard)) return { do: 'wait' };
  if (check?.why === 'asked') return lookStep('check', check);
  if (unknown) return lookStep('effect', unknown);
  if (check && check.at <= now) return lookStep('check', check);

  const effect = nextEffect(onboard);
  const actAt = Math.max(operation?.at ?? 0, operation?.absence_counts_from ?? 0, onboard.not_before);
  if (effect && !held) return { do: 'act', effect, at: actAt };
  // A held onboard does not act, but it finds out when the key and the list work again.
  if (effect && operation && isClearedByLook(onboard)) return lookStep('health', operation);
  if (check) return lookStep('check', check);
  if (onboard.status === 'completed') return { do: 'end', how: 'done' };
  return { do: 'wait' };
}
