/** LeadConduit's record of an onboard, as it is taken in: where it stands, whose it is, and which flow it has. */
import { flowOf } from './flow';
import { log, settleEntry } from './journal';
import { hasReached, isStatus } from './lifecycle';
import type { SeenOnboard } from './outcome';
import { clearAttention, needAttention, needsPerson } from './raise-attention';
import { scheduledAt } from './schedule';
import type { Check, OnboardState } from './state';
import { cleanLine } from './text';

/**
 * Follows an onboard as LeadConduit shows it. It may be further on than we asked; `failed`, words that are not ours, and a
 * status before one that was proven are for a person: what leads up to that one is never sent again by itself.
 */
export function takeRecord(onboard: OnboardState, seen: SeenOnboard, now: number): void {
  const { furthest } = onboard;
  const shown = cleanLine(seen.status);
  onboard.record = seen.record;
  onboard.status = seen.status;
  if (seen.status === 'failed')
    needAttention(onboard, now, 'failed_upstream', 'LeadConduit says that the set-up of this onboard failed.');
  else if (!isStatus(seen.status))
    needAttention(
      onboard,
      now,
      'unexpected_status',
      `LeadConduit shows the status "${shown}", which is not one that we know.`,
    );
  else if (furthest && !hasReached(seen.status, furthest))
    needAttention(
      onboard,
      now,
      'unexpected_status',
      `LeadConduit shows the status "${shown}", but ${furthest} was reached before.`,
    );
  else onboard.furthest = seen.status;
}

/** Follows a record whose flow somebody may have set: taken without a word, our next call would write over it. */
export function takeRecordAndFlow(onboard: OnboardState, seen: SeenOnboard, now: number): void {
  takeRecord(onboard, seen, now);
  // Once it is completed, there is no call left that could write over it.
  if (seen.status !== 'completed') compareFlows(onboard, now);
}

/** A record that came with another flow than the one asked for is for a person to decide, once. */
export function compareFlows(onboard: OnboardState, now: number): void {
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

/** The effect is there: proven by an answer about it, or seen in the list. */
export function landed(onboard: OnboardState, seen: SeenOnboard, now: number, outcome: 'done' | 'adopted'): void {
  const { operation, policy } = onboard;
  const effect = operation?.effect ?? 'create';
  settleEntry(onboard, effect, now, {
    outcome,
    onboard_id: seen.record.id,
    words: outcome === 'adopted' ? "seen in LeadConduit's list" : undefined,
  });
  clearAttention(onboard, now);
  onboard.operation = undefined;
  if (effect !== 'create') log(onboard, now, 'moved', { detail: seen.status });
  else if (outcome === 'adopted') logAdopted(onboard, seen, now);
  else {
    onboard.origin = 'created';
    log(onboard, now, 'created', { detail: seen.record.id });
  }
  takeRecord(onboard, seen, now);
  // With a flow that our own call named, it is our onboard, whatever was asked for since.
  const isOurs = operation?.posted_flows?.includes(flowOf(seen) ?? '') === true;
  if (outcome === 'adopted' && !isOurs) compareFlows(onboard, now);
  else onboard.agreed_flow = flowOf(onboard);
  // A late call of another try or another run may still land: look once more when it would be seen.
  if ((operation?.possible_sends ?? 0) > 1 || (effect === 'create' && onboard.maybe_sent_before.includes(effect)))
    scheduleCheck(onboard, 'doubles', now + policy.settle_ms);
  if (effect === 'completed') scheduleConfirm(onboard, now);
}

/** LeadConduit sets up delivery after it has answered the completing call, and that can still fail. One later look covers this and any check that is already due before it. */
export function scheduleConfirm(onboard: OnboardState, now: number): void {
  const { confirm_ms } = onboard.policy;
  if (confirm_ms === 0) return;
  const due = onboard.check?.why === 'asked' ? onboard.check.next : onboard.check;
  scheduleCheck(onboard, 'confirm', Math.max(now + confirm_ms, due?.at ?? 0));
}

/** A look that somebody has asked for comes first: what they were told of is not forgotten over it. */
function scheduleCheck(onboard: OnboardState, why: Check['why'], at: number): void {
  const check: Check = { ...scheduledAt(at), why };
  onboard.check = onboard.check?.why === 'asked' ? { ...onboard.check, next: check } : check;
}

export function logAdopted(onboard: OnboardState, seen: SeenOnboard, now: number): void {
  onboard.origin = 'adopted';
  log(onboard, now, 'adopted', { detail: `${seen.record.id}, found as ${seen.status}` });
}
