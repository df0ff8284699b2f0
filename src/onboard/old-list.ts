/** Whether a list is older than what is known: what it lacks, or shows at an earlier status, then says nothing of today. */
import { sameId } from './ids';
import { hasReached, isNewer, isStatus } from './lifecycle';
import type { LookResult, SeenOnboard } from './outcome';
import { backoff, OLD_LOOKS } from './schedule';
import type { Adoption, Check, OnboardState, RepeatedLook } from './state';

/** Schedules the look again. @returns false once several looks in a row have got an old list */
export function isAskedAgain({ policy }: OnboardState, look: RepeatedLook, now: number): boolean {
  const olds = (look.old_looks ?? 0) + 1;
  look.old_looks = olds;
  look.at = now + Math.max(backoff(policy, olds - 1), policy.settle_ms);
  return olds < OLD_LOOKS;
}

/** Whether the list lacks both the chosen onboard and others that it must show, or shows ours at an earlier status than the known one. */
export function isOldChoice(
  onboard: OnboardState,
  { onboard_id, answers }: Adoption,
  { onboards, lacks }: Extract<LookResult, { kind: 'seen' }>,
): boolean {
  const has = (id: string) => onboards.some(({ record }) => sameId(record.id, id));
  // Whoever looks again at several onboards has seen them all.
  const isWhole = answers.code !== 'duplicate' || onboard_id !== undefined || onboard.offered.every(has);
  const isShown = onboard_id === undefined ? onboards.length > 0 : has(onboard_id);
  return !isWhole || (lacks !== undefined && !isShown) || isBefore(onboard, onboards, lacks);
}

/** Whether the list lacks a known onboard, or shows ours at a status from before the one that is known. */
export function isOld(
  onboard: OnboardState,
  check: Check,
  listed: SeenOnboard[],
  lacks: string[] | undefined,
): boolean {
  const { record, ruled_out } = onboard;
  const told = [...(check.listed ?? []), ...(check.offered ?? [])].filter((id) => !ruled_out.includes(id));
  const known = [...told, ...(record ? [record.id] : [])];
  if (known.some((id) => !listed.some((one) => sameId(one.record.id, id)))) return true;
  return isBefore(onboard, listed, lacks);
}

/** Whether the list shows our onboard as it was before. */
export function isBefore(onboard: OnboardState, listed: SeenOnboard[], lacks: string[] | undefined): boolean {
  const { record, status } = onboard;
  const own = listed.find((one) => sameId(one.record.id, record?.id));
  if (!own || !record) return false;
  const isPutBack = isBehind(own.status, onboard) && !isBehind(status, onboard);
  return isPutBack && (lacks !== undefined || !isNewer(own.record, record));
}

/** Whether this status comes before one that was reached. */
export const isBehind = (status: string | null, { furthest }: OnboardState): boolean =>
  isStatus(status) && furthest !== undefined && !hasReached(status, furthest);
