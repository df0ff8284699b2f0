/**
 * Every effect follows one rule: one attempt, then look. This file says what the outcome of an attempt changes,
 * `apply-look.ts` what a look changes, and `next-step.ts` what follows.
 */
import { log, settleEntry } from './journal';
import { EFFECTS } from './lifecycle';
import type { Outcome } from './outcome';
import {
  clearAttention,
  needAttention,
  raiseDuplicate,
  raiseKeyRefused,
  raiseRefused,
  raiseUnsent,
  raiseUnusable,
} from './raise-attention';
import { compareFlows, landed, takeRecord } from './record';
import { backoff, longestLag, UNSENT_TRIES } from './schedule';
import { heard, lengthenAttempts, newOperation, type OnboardState, type Operation } from './state';

interface KindRule {
  /** LeadConduit has accepted our key. */
  keyWorks: boolean;
  /** The list was read and could be relied on, unless the outcome has `unusable_look`. */
  listWorks: boolean;
  /** The list has shown the record as it must be. */
  isListed: boolean;
}

/** What each kind of outcome also proves, about our key and the list. */
const PROVES = {
  done: { keyWorks: true, listWorks: true, isListed: true },
  refused: { keyWorks: true, listWorks: true, isListed: true },
  unknown: { keyWorks: true, listWorks: true, isListed: true },
  duplicate: { keyWorks: true, listWorks: true, isListed: true },
  unexpected: { keyWorks: true, listWorks: true, isListed: false },
  flow_changed: { keyWorks: true, listWorks: true, isListed: false },
  not_listed: { keyWorks: true, listWorks: true, isListed: false },
  not_sent: { keyWorks: false, listWorks: true, isListed: false },
  credentials: { keyWorks: false, listWorks: false, isListed: false },
} as const satisfies Record<Outcome['kind'], KindRule>;

/** Takes in the outcome of the attempt that was in flight. */
export function applyOutcome(onboard: OnboardState, outcome: Outcome, now: number): void {
  const operation = onboard.operation ?? newOperation('create', now);
  onboard.operation = operation;
  const { effect } = operation;
  heard(onboard, outcome.evidence);
  takeNote(onboard, operation, outcome, now);

  const words = 'words' in outcome ? outcome.words : undefined;
  const http_status = 'http_status' in outcome ? outcome.http_status : undefined;
  const detail = `${EFFECTS[effect].doing}: ${words ?? ''}`;
  switch (outcome.kind) {
    case 'done':
      if (!outcome.adopted) operation.possible_sends += 1;
      return landed(onboard, outcome.seen, now, outcome.adopted ? 'adopted' : 'done');
    case 'not_sent':
      settleEntry(onboard, effect, now, { outcome: 'not_sent', words, http_status });
      log(onboard, now, 'not_sent', { detail });
      return retryLater(onboard, operation, outcome, now);
    case 'not_listed':
      settleEntry(onboard, effect, now, { outcome: 'not_sent', words });
      log(onboard, now, 'not_sent', { detail });
      operation.at = now + onboard.policy.settle_ms;
      if (isMissingTooLong(onboard, operation, now))
        needAttention(onboard, now, 'not_listed', `${outcome.words} The onboard may have been removed there.`);
      return;
    case 'refused':
      settleEntry(onboard, effect, now, { outcome: 'refused', words, http_status });
      log(onboard, now, 'refused', { detail: `${detail} (HTTP ${outcome.http_status})` });
      if (!outcome.look_first) return raiseRefused(onboard, outcome.words, now);
      // The onboard may exist before the list shows it: nothing is retried before then.
      return becomeUnknown(operation, now, {
        refusal: outcome.words,
        absence_counts_from: now + onboard.policy.settle_ms,
      });
    case 'credentials':
      settleEntry(
        onboard,
        effect,
        now,
        outcome.at_look
          ? { outcome: 'not_sent', words: `key refused at the look: ${words}` }
          : { outcome: 'refused', words, http_status },
      );
      // If the call was carried out all the same, the look before the next attempt must be able to show it.
      if (!outcome.at_look) operation.absence_counts_from = now + onboard.policy.settle_ms;
      return raiseKeyRefused(onboard, operation, outcome, now);
    case 'unknown':
      settleEntry(onboard, effect, now, { outcome: 'unknown', words, http_status });
      log(onboard, now, 'unknown', { detail });
      operation.failures = 0;
      return becomeUnknown(operation, now, { absence_counts_from: now + (outcome.may_send_for_ms ?? 0) });
    case 'duplicate':
      settleEntry(onboard, effect, now, { outcome: 'not_sent', words: 'more than one onboard is there already' });
      return raiseDuplicate(onboard, outcome.onboard_ids, now);
    case 'unexpected':
    case 'flow_changed': {
      const what =
        outcome.kind === 'unexpected'
          ? `LeadConduit shows the status "${outcome.seen.status}"`
          : 'its flow in LeadConduit was changed';
      settleEntry(onboard, effect, now, { outcome: 'not_sent', words: what });
      if (outcome.may_be_old && !isMissingTooLong(onboard, operation, now)) {
        log(onboard, now, 'not_sent', { detail: `${detail}${what}, unless the list lags behind` });
        operation.at = now + backoff(onboard.policy, operation.failures);
        operation.failures += 1;
        return;
      }
      takeRecord(onboard, outcome.seen, now);
      if (outcome.kind === 'flow_changed') compareFlows(onboard, now);
    }
  }
}

/** Notes what an outcome of any kind says of the call, of our key and of the list. */
function takeNote(onboard: OnboardState, operation: Operation, outcome: Outcome, now: number): void {
  const keyWorks = PROVES[outcome.kind].keyWorks || ('lacks' in outcome && outcome.lacks !== undefined);
  const listWorks = PROVES[outcome.kind].listWorks && !('unusable_look' in outcome && outcome.unusable_look);
  operation.stage = 'due';
  operation.takes_slow_look = outcome.kind === 'not_sent' && outcome.slow_look_ms !== undefined ? true : undefined;
  // An approval stays until an attempt has used it.
  if (!neverActed(outcome)) operation.approval = undefined;
  if (mayHaveReached(outcome)) {
    operation.possible_sends += 1;
    const { effect, flow, posted_flows = [] } = operation;
    if (effect === 'create' && flow && !posted_flows.includes(flow)) operation.posted_flows = [...posted_flows, flow];
  }
  if (keyWorks) clearAttention(onboard, now, 'credentials', 'not_sent');
  if (outcome.slow_look_ms !== undefined && outcome.kind !== 'not_sent') logSlow(onboard, outcome.slow_look_ms, now);
  if (listWorks || outcome.kind === 'credentials') operation.unusable_looks = 0;
  if (listWorks) clearAttention(onboard, now, 'list_unreadable');
  if (wasListed(outcome)) operation.missing_since = undefined;
}

/** Whether the list showed the record as it must be. A call that was not sent for any reason but the list came after that. */
const wasListed = (outcome: Outcome): boolean =>
  PROVES[outcome.kind].isListed ||
  (outcome.kind === 'not_sent' && !outcome.unusable_look && !outcome.no_time) ||
  (outcome.kind === 'credentials' && !outcome.at_look);

/** Whether the approval is left for the next attempt: the call was not sent, or was answered with a 429. */
const neverActed = (outcome: Outcome): boolean =>
  outcome.kind === 'not_sent' ||
  outcome.kind === 'not_listed' ||
  (outcome.kind === 'credentials' && outcome.at_look === true) ||
  ('may_be_old' in outcome && outcome.may_be_old === true);

/** Whether the call may have reached LeadConduit. `done` is counted by `applyOutcome`, if the effect is not adopted. */
function mayHaveReached(outcome: Outcome): boolean {
  if (outcome.kind === 'unknown') return true;
  if (outcome.kind === 'credentials' && outcome.at_look) return false;
  return 'http_status' in outcome && outcome.http_status !== undefined;
}

function retryLater(
  onboard: OnboardState,
  operation: Operation,
  outcome: Extract<Outcome, { kind: 'not_sent' }>,
  now: number,
): void {
  // No back-off after a call was called back (it goes on once released) or was only given too little time.
  operation.at = now;
  if (outcome.called_back || lengthenAttempts(onboard, outcome.needs_ms)) return;
  operation.at = now + Math.max(backoff(onboard.policy, operation.failures), outcome.retry_after_ms ?? 0);
  operation.failures += 1;
  if (outcome.unusable_look) raiseUnusable(onboard, operation, outcome, now);
  else if (operation.failures >= UNSENT_TRIES) raiseUnsent(onboard, operation.effect, outcome.words, now);
}

/** From now on only a look tells whether the call took effect. */
function becomeUnknown(
  operation: Operation,
  now: number,
  facts: Pick<Operation, 'refusal' | 'absence_counts_from'>,
): void {
  Object.assign(operation, { stage: 'unknown', at: now, looks_without_it: 0, refusal: undefined }, facts);
}

function isMissingTooLong({ policy }: OnboardState, operation: Operation, now: number): boolean {
  operation.missing_since ??= now;
  return now >= operation.missing_since + longestLag(policy);
}

function logSlow(onboard: OnboardState, ms: number, now: number): void {
  const took = `LeadConduit's list took ${(ms / 1_000).toFixed(1)} s, more than once`;
  log(onboard, now, 'slow_look', { detail: `${took}: what another client did meanwhile may not have been seen` });
}
