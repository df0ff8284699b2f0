/** Whether a list is older than what is known: what it lacks, or shows at an earlier status, then says nothing of today. */
import { sameId } from './ids';
import { hasReached, isNewer, isStatus } from './lifecycle';
import type { LookResult, SeenOnboard } from './outcome';
import { backoff, UNUSABLE_LOOKS } from './schedule';
import type { Adoption, Check, OnboardState, Reading } from './state';

/** Puts the look off, unless several in a row were by an old list. */
export function isAskedAgain({ policy }: OnboardState, reading: Reading, now: number): boolean {
  const olds = (reading.old_looks ?? 0) + 1;
  reading.old_looks = olds;
  reading.at = now + Math.max(backoff(policy, olds - 1), policy.settle_ms);
  return olds < UNUSABLE_LOOKS;
}

/** Whether the list lacks what somebody chose, and others, or shows ours at a status from before the one that is known. */
export function isOldChoice(
  onboard: OnboardState,
  { onboard_id }: Adoption,
  { onboards, lacks }: Extract<LookResult, { kind: 'seen' }>,
): boolean {
  const isShown = onboards.some(({ record }) => onboard_id === undefined || sameId(record.id, onboard_id));
  return (lacks !== undefined && !isShown) || isBefore(onboard, onboards, lacks);
}

/** Whether the list lacks a known onboard, or shows ours at a status from before the one that is known. */
export function isOld(
  onboard: OnboardState,
  { shown = [] }: Check,
  listed: SeenOnboard[],
  lacks: string[] | undefined,
): boolean {
  const { record, ruled_out } = onboard;
  const known = [...shown.filter((id) => !ruled_out.includes(id)), ...(record ? [record.id] : [])];
  if (known.some((id) => !listed.some((one) => sameId(one.record.id, id)))) return true;
  return isBefore(onboard, listed, lacks);
}

function isBefore(onboard: OnboardState, listed: SeenOnboard[], lacks: string[] | undefined): boolean {
  const { record, status } = onboard;
  const own = listed.find((one) => sameId(one.record.id, record?.id));
  if (!own || !record) return false;
  const isPutBack = isBehind(own.status, onboard) && !isBehind(status, onboard);
  return isPutBack && (lacks !== undefined || !isNewer(own.record, record));
}

/** Whether this status comes before one that was reached. */
export const isBehind = (status: string | null, { furthest }: OnboardState): boolean =>
  isStatus(status) && furthest !== undefined && !hasReached(status, furthest);
