/** How LeadConduit's record of an onboard is taken in: its status, its origin and its flow. */
import { flowOf } from './flow';
import { log, settleEntry } from './journal';
import { hasReached, isStatus } from './lifecycle';
import type { SeenOnboard } from './outcome';
import { clearAttention, needAttention, needsPerson } from './raise-attention';
import { scheduledAt } from './schedule';
import type { Check, OnboardState } from './state';
import { cleanLine } from './text';

/**
 * Takes in an onboard as LeadConduit shows it, which may be further on than we asked. A status of `failed`, an unknown
 * one and one before a proven status go to a person: no call that leads up to the proven one is sent again by itself.
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

/** Takes in a record whose flow somebody may have set: without the comparison, our next call would overwrite it. */
export function takeRecordAndFlow(onboard: OnboardState, seen: SeenOnboard, now: number): void {
  takeRecord(onboard, seen, now);
  // Once it is completed, there is no call left that could write over it.
  if (seen.status !== 'completed') compareFlows(onboard, now);
}

/** Asks a person, once, if the record has another flow than the one that was asked for. */
export function compareFlows(onboard: OnboardState, now: number): void {
  const { requested_flow_id: asked, agreed_flow, status } = onboard;
  // Another decision of a person comes first; the next look compares again.
  if (needsPerson(onboard) || !isStatus(status)) return;
  const flow = flowOf(onboard);
  // A record at `created` that has never had a flow is no conflict: our move to in_progress sets the flow.
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

/** Takes in an effect that is there: an answer about it proves it (`done`), or the list shows it (`adopted`). */
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
  // A record with a flow that our own create named is our onboard, whatever flow was asked for since.
  const isOurs = operation?.posted_flows?.includes(flowOf(seen) ?? '') === true;
  if (outcome === 'adopted' && !isOurs) compareFlows(onboard, now);
  else onboard.agreed_flow = flowOf(onboard);
  // A late call of another attempt or run may still take effect. Look once more when the list would show it.
  if ((operation?.possible_sends ?? 0) > 1 || (effect === 'create' && onboard.maybe_sent_before.includes(effect)))
    scheduleCheck(onboard, 'doubles', now + policy.settle_ms);
  if (effect === 'completed') scheduleConfirm(onboard, now);
}

/**
 * LeadConduit sets up delivery after it has answered the completing call, and that can still fail. One later look covers
 * this and any check that is due before it.
 */
export function scheduleConfirm(onboard: OnboardState, now: number): void {
  const { confirm_ms } = onboard.policy;
  if (confirm_ms === 0) return;
  const due = onboard.check?.why === 'asked' ? onboard.check.next : onboard.check;
  scheduleCheck(onboard, 'confirm', Math.max(now + confirm_ms, due?.at ?? 0));
}

/** Schedules a check. A look that somebody asked for stays first, with the onboards that they were told of. */
function scheduleCheck(onboard: OnboardState, why: Check['why'], at: number): void {
  const check: Check = { ...scheduledAt(at), why };
  onboard.check = onboard.check?.why === 'asked' ? { ...onboard.check, next: check } : check;
}

export function logAdopted(onboard: OnboardState, seen: SeenOnboard, now: number): void {
  onboard.origin = 'adopted';
  log(onboard, now, 'adopted', { detail: `${seen.record.id}, found as ${seen.status}` });
}
