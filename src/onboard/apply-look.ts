/** What a look changes: it settles an unknown outcome, finds the onboard that a person wants, or checks what we know. */
import { flowOf } from './flow';
import { sameId } from './ids';
import { log, settleEntry } from './journal';
import { EFFECTS, hasReached, isStatus, type Effect } from './lifecycle';
import type { LookFor } from './next-step';
import { isAskedAgain, isBefore, isBehind, isOld, isOldChoice } from './old-list';
import type { LookResult, SeenOnboard } from './outcome';
import {
  clearAttention,
  goneWords,
  needAttention,
  needsPerson,
  raiseDuplicate,
  raiseKeyRefused,
  raiseRefused,
  raiseUnusable,
} from './raise-attention';
import { landed, logAdopted, takeRecord, takeRecordAndFlow } from './record';
import { backoff, LOOKS_AFTER } from './schedule';
import { heard, lengthenAttempts, type Adoption, type Check, type OnboardState, type Operation } from './state';
import { cleanLine } from './text';

/** Until absence counts, a look follows after this or a settle time, whichever is longer: presence counts already. */
const LOOK_AT_LEAST_EVERY_MS = 5_000;

type Seen = Extract<LookResult, { kind: 'seen' }>;

/**
 * Takes in what a look showed. Nothing changes if its purpose was settled meanwhile.
 * @param asked epoch ms of when the look was asked for, before it was sent.
 */
export function applyLook(onboard: OnboardState, about: LookFor, look: LookResult, asked: number, now: number): void {
  const { operation, adoption, check } = onboard;
  const unknown = operation?.stage === 'unknown' ? operation : undefined;
  const schedule = { adoption, check, effect: unknown, health: operation }[about];
  // Whoever asked for a look after this one was sent is answered by the next one.
  if (!schedule || (about === 'check' && schedule.at > asked)) return;
  if (look.kind === 'credentials') return raiseKeyRefused(onboard, schedule, look, now);
  if (look.kind === 'unusable') {
    schedule.at = now;
    if (lengthenAttempts(onboard, look.needs_ms)) return;
    schedule.at = now + Math.max(backoff(onboard.policy, schedule.unusable_looks), look.retry_after_ms ?? 0);
    return raiseUnusable(onboard, schedule, look, now);
  }
  heard(onboard, look.evidence);
  const listed = look.onboards.filter(({ record }) => !onboard.ruled_out.includes(record.id.toLowerCase()));
  // Our own onboard counts even if the list does not show it.
  const ids = new Set([...idsOf(listed), ...(onboard.record ? [onboard.record.id.toLowerCase()] : [])]);
  const isDoubled = listed.length > 0 && ids.size > 1;
  // An earlier list has shown these onboards, so they count even if this one lacks them.
  const told = about === 'check' ? (check?.listed ?? []).filter((id) => !onboard.ruled_out.includes(id)) : [];
  schedule.unusable_looks = 0;
  schedule.failures = 0;
  clearAttention(onboard, now, 'credentials');
  // A list that is older than what is known counts only after several such looks.
  const isOlder =
    (about === 'check' && check && !isDoubled && isOld(onboard, check, listed, look.lacks)) ||
    (about === 'adoption' && adoption && isOldChoice(onboard, adoption, look)) ||
    (about === 'effect' && !isDoubled && isBefore(onboard, listed, look.lacks));
  if (!isOlder) schedule.old_looks = undefined;
  else if (isAskedAgain(onboard, schedule, now)) return;
  if (!look.lacks) clearAttention(onboard, now, 'list_unreadable');
  else if (about === 'health' || (about === 'check' && !isDoubled && onboard.attention?.code === 'list_unreadable')) {
    // The key works, but the list cannot be relied on yet.
    schedule.at = now + onboard.policy.settle_ms;
    return;
  }
  if (about === 'adoption' && adoption) return adoptListed(onboard, adoption, look.onboards, now);
  const isDuplicate = isDoubled || told.length > 1;
  // A person has chosen between them while this look was under way: the look for their choice comes next, and then this one.
  if (isDuplicate && onboard.adoption) return;
  if (about === 'check') onboard.check = check?.next;
  if (isDuplicate) return raiseDuplicate(onboard, [...new Set([...ids, ...told])], now);
  if (about === 'check' && check) checked(onboard, check, listed, now);
  else if (about === 'effect' && operation) settle(onboard, operation, listed, look, asked, now);
}

/** Takes in a look after an unknown outcome. An effect that is shown counts at once, a missing one only if proven. */
function settle(
  onboard: OnboardState,
  operation: Operation,
  listed: SeenOnboard[],
  look: Seen,
  asked: number,
  now: number,
): void {
  const { effect } = operation;
  const found = effect === 'create' ? listed[0] : listed.find(({ record }) => sameId(record.id, onboard.record?.id));
  if (found && hasReached(found.status, EFFECTS[effect].reaches)) return landed(onboard, found, now, 'adopted');
  if (found && !isStatus(found.status)) {
    if (effect === 'create') {
      onboard.operation = undefined;
      settleEntry(onboard, 'create', now, { outcome: 'adopted', onboard_id: found.record.id });
      logAdopted(onboard, found, now);
    }
    return takeRecord(onboard, found, now);
  }
  if (operation.refusal !== undefined) {
    operation.stage = 'due';
    return raiseRefused(onboard, operation.refusal, now);
  }
  const isProven = EFFECTS[effect].absenceProvenBy === 'the onboard' ? found !== undefined : look.proves_absence;
  absent(onboard, operation, { isProof: isProven && !look.lacks, lacks: look.lacks }, asked, now);
}

function absent(
  onboard: OnboardState,
  operation: Operation,
  { isProof, lacks }: { isProof: boolean; lacks?: string[] },
  asked: number,
  now: number,
): void {
  const { settle_ms } = onboard.policy;
  const countsFrom = (looks: number) =>
    operation.absence_counts_from + (LOOKS_AFTER[looks] ?? LOOKS_AFTER[2]) * settle_ms;
  const counts = countsFrom(operation.looks_without_it);
  if (asked < counts) {
    operation.at = Math.min(Math.max(now, counts), now + Math.max(settle_ms, LOOK_AT_LEAST_EVERY_MS));
    return;
  }
  if (!isProof) {
    operation.at = now + settle_ms;
    if (lacks) onboard.lacked = lacks;
    return needAttention(onboard, now, 'absence_unproven', whyUnproven(operation, lacks));
  }
  clearAttention(onboard, now, 'absence_unproven');
  operation.looks_without_it += 1;
  log(onboard, now, 'absent', {
    detail: `look ${operation.looks_without_it} of ${LOOKS_AFTER.length} does not show the effect`,
  });
  if (operation.looks_without_it < LOOKS_AFTER.length) {
    operation.at = Math.max(now, countsFrom(operation.looks_without_it));
    return;
  }
  repeatOrAsk(onboard, operation, now);
}

/** Three looks have proven that the effect is missing. */
function repeatOrAsk(onboard: OnboardState, operation: Operation, now: number): void {
  const { effect } = operation;
  const { repeatsItself, call } = EFFECTS[effect];
  operation.stage = 'due';
  operation.at = now;
  const maySend =
    repeatsItself === 'always' ||
    (repeatsItself === 'unless maybe sent before' && !onboard.maybe_sent_before.includes(effect));
  if (maySend && !operation.repeated) {
    operation.repeated = true;
    operation.approval = onboard.evidence;
    return log(onboard, now, 'repeated', { detail: `${effect} is sent once more` });
  }
  needAttention(
    onboard,
    now,
    'unknown_outcome',
    `The answer to ${call} was lost, and LeadConduit's list does not show its effect.`,
  );
}

function whyUnproven({ effect }: Operation, lacks: string[] | undefined): string {
  if (lacks)
    return `LeadConduit's list shows neither the effect nor onboard ${lacks[0] ?? ''}, which it has shown before or must show by now: the list may be incomplete or out of date. ${goneWords(lacks)}`;
  return effect === 'create'
    ? "LeadConduit's list does not show the onboard, but it shows no other onboard that was created here either: the onboard may exist and be hidden."
    : "LeadConduit's list does not show this onboard any more, so it cannot tell whether the call took effect.";
}

/** Adopts the onboard that a person chose, if the list shows it. If it does not, our own onboard stays. */
function adoptListed(
  onboard: OnboardState,
  { onboard_id, answers }: Adoption,
  onboards: SeenOnboard[],
  now: number,
): void {
  onboard.adoption = undefined;
  const fits = onboard_id ? onboards.filter(({ record }) => sameId(record.id, onboard_id)) : onboards;
  const [only] = fits;
  if (fits.length !== 1 && needsPerson(onboard)) return;
  if (fits.length > 1) return raiseDuplicate(onboard, idsOf(onboards), now);
  if (!only) {
    const sought = onboard_id ? ` ${onboard_id}` : '';
    const message = `LeadConduit's list shows no onboard${sought} for this invitation: nothing was adopted. ${answers.message}`;
    return needAttention(onboard, now, answers.code, message);
  }
  const others = idsOf(onboards).filter((id) => !sameId(id, only.record.id));
  // A person cannot rule out an onboard that they were not told of.
  if (others.some((id) => !onboard.ruled_out.includes(id) && !onboard.offered.includes(id)))
    return raiseDuplicate(onboard, idsOf(onboards), now);
  const known = [...onboard.ruled_out, ...others, ...(onboard.record ? [onboard.record.id.toLowerCase()] : [])];
  onboard.ruled_out = [...new Set(known)].filter((id) => !sameId(id, only.record.id));
  if (onboard.record === null) return landed(onboard, only, now, 'adopted');
  logAdopted(onboard, only, now);
  if (!sameId(only.record.id, onboard.record.id)) startAnew(onboard, only);
  takeRecordAndFlow(onboard, only, now);
}

/**
 * A different onboard replaces ours. Operators must set its target again; if ours may be completed, completing this one
 * could be a second completion and needs an order.
 */
function startAnew(onboard: OnboardState, { status }: SeenOnboard): void {
  if (onboard.ledger.some(({ effect, outcome }) => effect === 'completed' && outcome !== 'not_sent'))
    onboard.maybe_sent_before = [...new Set<Effect>([...onboard.maybe_sent_before, 'completed'])];
  // Somebody who has asked for a look still waits for it.
  const check = onboard.check?.why === 'asked' ? { ...onboard.check, next: undefined } : undefined;
  Object.assign(onboard, { operation: undefined, check, furthest: undefined, agreed_flow: undefined });
  onboard.target = isStatus(status) ? status : 'created';
}

/** Takes in a check that shows no second onboard: it follows the status and flow of ours. */
function checked(onboard: OnboardState, check: Check, listed: SeenOnboard[], now: number): void {
  const own = listed.find(({ record }) => sameId(record.id, onboard.record?.id));
  if (!own) {
    // Without a record, the create makes its own look.
    if (check.why === 'doubles' || onboard.record === null) return;
    return needAttention(onboard, now, 'not_listed', "LeadConduit's list does not show this onboard any more.");
  }
  const { attention: before, agreed_flow } = onboard;
  // A check for doubles follows a call so soon that the list may lag behind: that needs no attention.
  if (check.why !== 'doubles' || !isBehind(own.status, onboard)) takeRecordAndFlow(onboard, own, now);
  if (onboard.attention !== before) return;
  const flow = flowOf(onboard);
  const changed = flow === agreed_flow ? '' : `, ${flow ? `for flow ${flow}` : 'without a flow'}`;
  log(onboard, now, 'checked', { detail: `LeadConduit shows one onboard, ${own.status}${changed}` });
}

const idsOf = (onboards: SeenOnboard[]): string[] => onboards.map(({ record }) => cleanLine(record.id.toLowerCase()));
