/**
 * One attempt, then look: the discipline that every upstream effect follows. Here is what became of an attempt, in
 * `looking.ts` what a look told: it goes in, the onboard changes, and `nextStep` says what follows.
 */
import type { Outcome, SeenOnboard } from '../activities/outcomes';
import { EFFECTS, isStatus } from './lifecycle';
import {
  backoff,
  clearAttention,
  duplicate,
  keyRefused,
  needAttention,
  needsPerson,
  refused,
  unsent,
  UNSENT_TRIES,
  unusable,
} from './raise-attention';
import { settleEntry, tell } from './journal';
import { flowOf, newPursuit, type Onboard, type Pursuit, take } from './state';
import { cleanLine } from './text';

/** Absence is believed only from looks sent this many settle times after the attempt can no longer send. */
export const LOOKS_AFTER = [1, 2, 4] as const;
/** Takes in what became of the attempt that was out. */
export function absorbOutcome(onboard: Onboard, outcome: Outcome, now: number): void {
  const pursuit = onboard.pursuit ?? newPursuit('create', now);
  onboard.pursuit = pursuit;
  pursuit.stage = 'due';
  pursuit.takes_slow_look = undefined;
  const neverActed =
    outcome.kind === 'not_sent' || outcome.kind === 'not_listed' || (outcome.kind === 'credentials' && outcome.at_look);
  // A clearance stands until it has been made use of.
  if (!neverActed) pursuit.cleared_in = undefined;
  if (outcome.after_reset) onboard.doubts = [...EFFECTS];
  if (outcome.ran_in !== undefined) onboard.heard_in = outcome.ran_in;
  const { effect, flow, posted_flows = [] } = pursuit;
  if (isAct(outcome)) {
    pursuit.acts += 1;
    if (effect === 'create' && flow && !posted_flows.includes(flow)) pursuit.posted_flows = [...posted_flows, flow];
  }
  const words = 'words' in outcome ? outcome.words : undefined;
  const http_status = 'http_status' in outcome ? outcome.http_status : undefined;
  const detail = `${effect === 'create' ? 'creating the onboard' : `moving it to ${effect}`}: ${words ?? ''}`;

  if (outcome.kind !== 'credentials' && outcome.kind !== 'not_sent')
    clearAttention(onboard, now, 'credentials', 'not_sent');
  if (outcome.slow_look_ms !== undefined && outcome.kind !== 'not_sent') toldSlow(onboard, outcome.slow_look_ms, now);
  if (outcome.kind !== 'not_sent' || !outcome.unusable_look) {
    pursuit.unusable = 0;
    if (outcome.kind !== 'credentials') clearAttention(onboard, now, 'list_unreadable');
  }
  if (!['not_listed', 'not_sent', 'credentials', 'unexpected', 'flow_changed'].includes(outcome.kind))
    pursuit.missing_since = undefined;

  switch (outcome.kind) {
    case 'done':
      if (!outcome.adopted) pursuit.acts += 1;
      return reached(onboard, outcome.seen, now, outcome.adopted ? 'adopted' : 'done');
    case 'not_sent':
      settleEntry(onboard, effect, now, { outcome: 'not_sent', words, http_status });
      tell(onboard, now, 'not_sent', { detail });
      pursuit.takes_slow_look = outcome.slow_look_ms !== undefined;
      // What is released after it was called back goes on at once, as does what was only given too little time.
      pursuit.at = now;
      if (outcome.called_back || lengthen(onboard, outcome.needs_ms)) return;
      pursuit.at = now + Math.max(backoff(onboard, pursuit.failures), outcome.retry_after_ms ?? 0);
      pursuit.failures += 1;
      if (outcome.unusable_look) unusable(onboard, pursuit, outcome, now);
      else if (pursuit.failures >= UNSENT_TRIES) unsent(onboard, pursuit, outcome.words, now);
      return;
    case 'not_listed':
      settleEntry(onboard, effect, now, { outcome: 'not_sent', words });
      tell(onboard, now, 'not_sent', { detail });
      pursuit.at = now + onboard.policy.settle_ms;
      if (isMissingTooLong(onboard, pursuit, now))
        needAttention(onboard, now, 'not_listed', `${outcome.words} The onboard may have been removed there.`);
      return;
    case 'refused':
      settleEntry(onboard, effect, now, { outcome: 'refused', words, http_status });
      tell(onboard, now, 'refused', { detail: `${detail} (HTTP ${outcome.http_status})` });
      if (!outcome.look_first) return refused(onboard, outcome.words, now);
      Object.assign(pursuit, { stage: 'unknown', at: now, refusal: outcome.words, absences: 0 });
      // "It exists" may be true before the list shows it: no retry before that.
      pursuit.clear_at = now + onboard.policy.settle_ms;
      return;
    case 'credentials':
      settleEntry(
        onboard,
        effect,
        now,
        outcome.at_look
          ? { outcome: 'not_sent', words: `key refused at the look: ${words}` }
          : { outcome: 'refused', words, http_status },
      );
      // Should it have been carried out all the same, the look before the next try is to see it.
      if (!outcome.at_look) pursuit.clear_at = now + onboard.policy.settle_ms;
      return keyRefused(onboard, pursuit, outcome.words, outcome.http_status, now);
    case 'unknown':
      settleEntry(onboard, effect, now, { outcome: 'unknown', words, http_status });
      tell(onboard, now, 'unknown', { detail });
      Object.assign(pursuit, { stage: 'unknown', at: now, failures: 0, absences: 0, refusal: undefined });
      pursuit.clear_at = now + (outcome.may_send_for_ms ?? 0);
      return;
    case 'duplicate':
      settleEntry(onboard, effect, now, { outcome: 'not_sent', words: 'more than one onboard is there already' });
      return duplicate(onboard, outcome.onboard_ids, now);
    case 'unexpected':
    case 'flow_changed': {
      const what =
        outcome.kind === 'unexpected' ? `it stands at "${outcome.seen.status}"` : 'it has another flow there';
      settleEntry(onboard, effect, now, { outcome: 'not_sent', words: what });
      if (outcome.may_be_old && !isMissingTooLong(onboard, pursuit, now)) {
        tell(onboard, now, 'not_sent', { detail: `${detail}${what}, unless the list lags behind` });
        pursuit.at = now + backoff(onboard, pursuit.failures);
        pursuit.failures += 1;
        return;
      }
      take(onboard, outcome.seen, now);
      if (outcome.kind === 'flow_changed') compareFlows(onboard, now);
    }
  }
}

/** For as long as a list may lag behind, it is asked again. */
function isMissingTooLong({ policy }: Onboard, pursuit: Pursuit, now: number): boolean {
  pursuit.missing_since ??= now;
  return now >= pursuit.missing_since + LOOKS_AFTER[2] * policy.settle_ms;
}

/** The times that a run was started with may be those of another configuration. @returns whether they were too short */
export function lengthen({ policy }: Onboard, needs_ms: number | undefined): boolean {
  if (needs_ms === undefined || needs_ms <= policy.attempt_ms) return false;
  policy.attempt_ms = needs_ms;
  return true;
}

function toldSlow(onboard: Onboard, ms: number, now: number): void {
  const took = `LeadConduit's list took ${(ms / 1_000).toFixed(1)} s, more than once`;
  tell(onboard, now, 'slow_look', { detail: `${took}: what another client did meanwhile may not have been seen` });
}

/** Whether the call may have reached LeadConduit. */
const isAct = (outcome: Outcome): boolean => {
  if (outcome.kind === 'unknown') return true;
  if (outcome.kind === 'credentials' && outcome.at_look) return false;
  return 'http_status' in outcome && outcome.http_status !== undefined;
};

/** The effect is there: proven by an answer about it, or seen in the list. */
export function reached(onboard: Onboard, seen: SeenOnboard, now: number, outcome: 'done' | 'adopted'): void {
  const { pursuit, policy } = onboard;
  const effect = pursuit?.effect ?? 'create';
  settleEntry(onboard, effect, now, {
    outcome,
    onboard_id: seen.record.id,
    words: outcome === 'adopted' ? "seen in LeadConduit's list" : undefined,
  });
  clearAttention(onboard, now);
  onboard.pursuit = undefined;
  if (effect !== 'create') tell(onboard, now, 'moved', { detail: seen.status });
  else if (outcome === 'adopted') adopted(onboard, seen, now);
  else {
    onboard.origin = 'created';
    tell(onboard, now, 'created', { detail: seen.record.id });
  }
  take(onboard, seen, now);
  // With a flow that our own call named, it is our onboard, whatever was asked for since.
  const isOurs = pursuit?.posted_flows?.includes(seen.record.flow_id?.toLowerCase() ?? '') === true;
  if (outcome === 'adopted' && !isOurs) compareFlows(onboard, now);
  else onboard.agreed_flow = flowOf(onboard);
  // A late call of another try or another run may still land: look once more when it would be seen.
  if ((pursuit?.acts ?? 0) > 1 || (effect === 'create' && onboard.doubts.includes(effect)))
    onboard.check = { at: now + policy.settle_ms, why: 'doubles', failures: 0, unusable: 0 };
  if (effect === 'completed') confirm(onboard, now);
}

/** The set-up runs after the completing call has been answered and may fail then. The look serves a check that is due before it. */
export function confirm(onboard: Onboard, now: number): void {
  const { confirm_ms } = onboard.policy;
  if (confirm_ms === 0) return;
  const at = Math.max(now + confirm_ms, onboard.check?.at ?? 0);
  onboard.check = { at, why: 'confirm', failures: 0, unusable: 0 };
}

/** A record that came with another flow than the one asked for is for a person to decide, once. */
export function compareFlows(onboard: Onboard, now: number): void {
  const { requested_flow_id: asked, agreed_flow, status } = onboard;
  // What else a person has to decide comes first; the next look compares again.
  if (needsPerson(onboard) || !isStatus(status)) return;
  const flow = flowOf(onboard);
  // Until it is moved on, a record that has had no flow is one that is to be given it.
  const isOther = flow ? asked !== flow : status !== 'created' || Boolean(agreed_flow);
  if (!asked || !isOther || flow === agreed_flow) onboard.agreed_flow = flow;
  else
    needAttention(
      onboard,
      now,
      'flow_conflict',
      `Flow ${asked} was asked for, but LeadConduit's record has ${flow ? `flow ${cleanLine(flow)}` : 'none'}.`,
    );
}

export function adopted(onboard: Onboard, seen: SeenOnboard, now: number): void {
  onboard.origin = 'adopted';
  tell(onboard, now, 'adopted', { detail: `${seen.record.id}, found as ${seen.status}` });
}
