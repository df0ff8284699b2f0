/** What looks tell: about an effect whose outcome is unknown, of the onboard that a person wants, or as a check. */
import type { LookResult, SeenOnboard } from '../activities/outcomes';
import { EFFECTS, hasReached, isNewer, isStatus, type Effect, type Status } from './lifecycle';
import type { LookFor } from './next-step';
import {
  backoff,
  clearAttention,
  duplicate,
  goneWords,
  keyRefused,
  needAttention,
  needsPerson,
  refused,
  unusable,
  UNUSABLE_LOOKS,
} from './raise-attention';
import { adopted, compareFlows, lengthen, LOOKS_AFTER, reached } from './apply-outcome';
import { settleEntry, tell } from './journal';
import { type Adoption, type Check, flowOf, type Onboard, type Pursuit, sameId, take } from './state';
import { cleanLine } from './text';

/** How often it is looked at least while absence does not count yet: presence does. */
const LOOK_MS = 5_000;

type Seen = Extract<LookResult, { kind: 'seen' }>;

const targetOf = ({ effect }: Pursuit): Status => (effect === 'create' ? 'created' : effect);

/**
 * Takes in what a look told; nothing when what it was for is settled meanwhile.
 * @param asked when the look was asked for: it was sent later.
 */
export function absorbLook(onboard: Onboard, about: LookFor, look: LookResult, asked: number, now: number): void {
  const { pursuit, adoption, check } = onboard;
  const watch = { adoption, check, effect: pursuit?.stage === 'unknown' ? pursuit : undefined, health: pursuit }[about];
  if (!watch) return;
  if (look.kind === 'credentials') return keyRefused(onboard, watch, look.words, look.http_status, now);
  if (look.kind === 'unusable') {
    watch.at = now;
    if (lengthen(onboard, look.needs_ms)) return;
    watch.at = now + Math.max(backoff(onboard, watch.unusable), look.retry_after_ms ?? 0);
    return unusable(onboard, watch, look, now);
  }
  if (look.ran_in !== undefined) onboard.heard_in = look.ran_in;
  if (look.after_reset) onboard.doubts = [...EFFECTS];
  const listed = look.onboards.filter(({ record }) => !onboard.ruled_out.includes(record.id.toLowerCase()));
  // Ours is one of them also where the list does not show it.
  const ids = new Set([...idsOf(listed), ...(onboard.record ? [onboard.record.id.toLowerCase()] : [])]);
  const isDoubled = listed.length > 0 && ids.size > 1;
  // A list that lacks one, or shows ours as it was before, accuses nobody before it has done so several times.
  if (about === 'check' && check && !isDoubled && isOld(onboard, check, listed, look.lacks)) {
    check.at = now + Math.max(backoff(onboard, check.unusable), onboard.policy.settle_ms);
    check.unusable += 1;
    if (check.unusable < UNUSABLE_LOOKS) return;
  }
  watch.unusable = 0;
  watch.failures = 0;
  clearAttention(onboard, now, 'credentials', 'list_unreadable');
  if (about === 'adoption' && adoption) return adopt(onboard, adoption, look.onboards, now);
  if (about === 'check') onboard.check = check?.next;
  if (isDoubled) {
    // Somebody has chosen between them while this look was under way: the one for their choice tells what is there.
    return onboard.adoption ? undefined : duplicate(onboard, [...ids], now);
  }
  if (about === 'check' && check) checked(onboard, check, listed, now);
  else if (about === 'effect' && pursuit) settle(onboard, pursuit, listed, look, asked, now);
}

/** A look after an unknown: presence counts at any time, absence only when it is proof. */
function settle(
  onboard: Onboard,
  pursuit: Pursuit,
  listed: SeenOnboard[],
  look: Seen,
  asked: number,
  now: number,
): void {
  const found =
    pursuit.effect === 'create' ? listed[0] : listed.find(({ record }) => sameId(record.id, onboard.record?.id));
  if (found && isStatus(found.status) && hasReached(found.status, targetOf(pursuit)))
    return reached(onboard, found, now, 'adopted');
  if (found && !isStatus(found.status)) {
    if (pursuit.effect === 'create') {
      onboard.pursuit = undefined;
      settleEntry(onboard, 'create', now, { outcome: 'adopted', onboard_id: found.record.id });
      adopted(onboard, found, now);
    }
    return take(onboard, found, now);
  }
  if (pursuit.refusal !== undefined) {
    pursuit.stage = 'due';
    return refused(onboard, pursuit.refusal, now);
  }
  // For a PUT, the record's own presence in the list is the proof that the list can be believed.
  const isProof = pursuit.effect === 'create' ? look.presence : found !== undefined;
  absent(onboard, pursuit, { isProof: isProof && !look.lacks, lacks: look.lacks }, asked, now);
}

function absent(
  onboard: Onboard,
  pursuit: Pursuit,
  { isProof, lacks }: { isProof: boolean; lacks?: string[] },
  asked: number,
  now: number,
): void {
  const { settle_ms } = onboard.policy;
  const factor = LOOKS_AFTER[pursuit.absences as 0 | 1 | 2];
  const counts = pursuit.clear_at + factor * settle_ms;
  if (asked < counts) {
    pursuit.at = Math.min(Math.max(now, counts), now + Math.max(settle_ms, LOOK_MS));
    return;
  }
  if (!isProof) {
    pursuit.at = now + settle_ms;
    onboard.lacked = lacks ?? [];
    return needAttention(onboard, now, 'absence_unproven', whyUnproven(pursuit, lacks));
  }
  clearAttention(onboard, now, 'absence_unproven');
  pursuit.absences += 1;
  tell(onboard, now, 'absent', {
    detail: `look ${pursuit.absences} of ${LOOKS_AFTER.length} does not show the effect`,
  });
  if (pursuit.absences < LOOKS_AFTER.length) {
    pursuit.at = Math.max(now, pursuit.clear_at + LOOKS_AFTER[pursuit.absences as 1 | 2] * settle_ms);
    return;
  }
  pursuit.stage = 'due';
  pursuit.at = now;
  const isForPerson =
    pursuit.effect === 'completed' || (pursuit.effect === 'create' && onboard.doubts.includes('create'));
  if (!isForPerson && !pursuit.repeated) {
    pursuit.repeated = true;
    pursuit.cleared_in = onboard.heard_in;
    return tell(onboard, now, 'repeated', { detail: `${pursuit.effect} is sent once more` });
  }
  needAttention(
    onboard,
    now,
    'unknown_outcome',
    `The answer to the ${pursuit.effect === 'create' ? 'create call' : `call for ${pursuit.effect}`} was lost, and LeadConduit's list does not show its effect.`,
  );
}

function whyUnproven({ effect }: Pursuit, lacks: string[] | undefined): string {
  if (lacks)
    return `LeadConduit's list does not show the effect, but neither does it show onboard ${lacks[0] ?? ''}, which it has shown before: it may be incomplete or out of date. ${goneWords(lacks)}`;
  return effect === 'create'
    ? "LeadConduit's list does not show the onboard, but it has not shown all those that were created here: it may be hidden."
    : "LeadConduit's list does not show this onboard any more, so it cannot tell whether the call took effect.";
}

/** A person chose the onboard that is there (`resolve adopt`). What is known of our own is not forgotten over it. */
function adopt(onboard: Onboard, { onboard_id, answers }: Adoption, onboards: SeenOnboard[], now: number): void {
  onboard.adoption = undefined;
  const fits = onboard_id ? onboards.filter(({ record }) => sameId(record.id, onboard_id)) : onboards;
  const [only] = fits;
  if (fits.length !== 1 && needsPerson(onboard)) return;
  if (fits.length > 1) return duplicate(onboard, idsOf(onboards), now);
  if (!only) {
    const shown = `no onboard${onboard_id ? ` ${onboard_id}` : ''}`;
    const message = `LeadConduit's list shows ${shown} for this invitation: nothing was adopted. ${answers.message}`;
    return needAttention(onboard, now, answers.code, message);
  }
  const others = idsOf(onboards).filter((id) => !sameId(id, only.record.id));
  // Nobody chooses against an onboard that they were not told of.
  if (others.some((id) => !onboard.ruled_out.includes(id) && !onboard.shown.includes(id)))
    return duplicate(onboard, idsOf(onboards), now);
  const known = [...onboard.ruled_out, ...others, ...(onboard.record ? [onboard.record.id.toLowerCase()] : [])];
  onboard.ruled_out = [...new Set(known)].filter((id) => !sameId(id, only.record.id));
  if (onboard.record === null) return reached(onboard, only, now, 'adopted');
  adopted(onboard, only, now);
  if (sameId(only.record.id, onboard.record.id)) return takeShown(onboard, only, now);
  // Another one takes the place of ours: how far it is to go is to be said anew, and to complete it may be to do so twice.
  if (onboard.ledger.some(({ effect, outcome }) => effect === 'completed' && outcome !== 'not_sent'))
    onboard.doubts = [...new Set<Effect>([...onboard.doubts, 'completed'])];
  Object.assign(onboard, { pursuit: undefined, check: undefined, furthest: undefined });
  onboard.target = isStatus(only.status) ? only.status : 'created';
  onboard.agreed_flow = undefined;
  takeShown(onboard, only, now);
}

/** A look that is not about an effect: nobody else's second onboard, no failure after the fact. */
function checked(onboard: Onboard, check: Check, listed: SeenOnboard[], now: number): void {
  const own = listed.find(({ record }) => sameId(record.id, onboard.record?.id));
  if (!own) {
    // Before there is a record, the create itself looks.
    if (check.why === 'doubles' || onboard.record === null) return;
    return needAttention(onboard, now, 'not_listed', "LeadConduit's list does not show this onboard any more.");
  }
  const { attention: before, agreed_flow } = onboard;
  // So soon after a call, a list that lags behind is nothing to wake anybody for.
  if (check.why !== 'doubles' || !isBehind(own.status, onboard)) takeShown(onboard, own, now);
  if (onboard.attention !== before) return;
  const flow = flowOf(onboard);
  const changed = flow === agreed_flow ? '' : `, ${flow ? `for flow ${flow}` : 'without a flow'}`;
  tell(onboard, now, 'checked', { detail: `LeadConduit shows one onboard, ${own.status}${changed}` });
}

/** Taken without a word, a flow that somebody has set in LeadConduit would be written over by our next call. */
function takeShown(onboard: Onboard, own: SeenOnboard, now: number): void {
  take(onboard, own, now);
  // Once it is completed, there is no call left that could write over it.
  if (own.status !== 'completed') compareFlows(onboard, now);
}

/** It lacks an onboard that is known, or what it shows of ours was so before what is known of it. */
function isOld(onboard: Onboard, { shown = [] }: Check, listed: SeenOnboard[], lacks: string[] | undefined): boolean {
  const { record, status, ruled_out } = onboard;
  const known = [...shown.filter((id) => !ruled_out.includes(id)), ...(record ? [record.id] : [])];
  const own = listed.find((one) => sameId(one.record.id, record?.id));
  if (known.some((id) => !listed.some((one) => sameId(one.record.id, id)))) return true;
  if (!own || !record) return false;
  const isBefore = isBehind(own.status, onboard) && !isBehind(status, onboard);
  return isBefore && (lacks !== undefined || !isNewer(own.record, record));
}
const isBehind = (status: string | null, { furthest }: Onboard) =>
  isStatus(status) && furthest !== undefined && !hasReached(status, furthest);
const idsOf = (onboards: SeenOnboard[]) => onboards.map(({ record }) => cleanLine(record.id.toLowerCase()));
