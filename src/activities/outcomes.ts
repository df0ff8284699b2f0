import type { LeadConduitError } from '../leadconduit/errors';
import type { OnboardRecord } from '../leadconduit/schema';

export type { OnboardRecord };

/** A record with its status in our words: one of the three, `failed`, or the upstream's own where it is none of them. */
export interface SeenOnboard {
  record: OnboardRecord;
  status: string;
}

/** What became of one attempt at an effect. A value, never an exception: only the workflow decides what follows. */
export type Outcome = Became & {
  /** The run for which the attempt was made; a run that is reset inherits outcomes of another. */
  ran_in?: string;
  /** That run was reset: what it knows nothing of may have been sent meanwhile. */
  after_reset?: boolean;
  /** How long the look took by which it was acted, where that was long: what others did meanwhile may be missing. */
  slow_look_ms?: number;
  /** The attempt was too short for the calls of this worker: how long one has to be. */
  needs_ms?: number;
};

export type Became =
  | { kind: 'done'; seen: SeenOnboard; adopted: boolean }
  | {
      kind: 'not_sent';
      words: string;
      retry_after_ms?: number;
      http_status?: number;
      unusable_look?: boolean;
      /** Onboards that an unusable list lacks although it has shown them before. */
      lacks?: string[];
      /** Nothing is wrong but that the attempt's time was up. */
      no_time?: boolean;
      /** Temporal did not let it go on: the run is held, cancelled or not this one any more. */
      called_back?: boolean;
    }
  | { kind: 'not_listed'; words: string }
  | { kind: 'refused'; words: string; http_status: number; look_first: boolean }
  /** `at_look`: already the look was refused, so that nothing was sent. */
  | { kind: 'credentials'; words: string; http_status: number; at_look?: boolean }
  /** `may_send_for_ms`: how much longer another run of this attempt may still send. */
  | { kind: 'unknown'; words: string; http_status?: number; may_send_for_ms?: number }
  | { kind: 'duplicate'; onboard_ids: string[] }
  /** The onboard stands upstream at `failed` or at a status not known here: never written over. */
  | { kind: 'unexpected'; seen: SeenOnboard; may_be_old?: boolean }
  /** Somebody has changed its flow upstream: not written over. `may_be_old`: or the list lags behind our own change. */
  | { kind: 'flow_changed'; seen: SeenOnboard; may_be_old?: boolean };

/** What one look at LeadConduit's list told about an invitation. */
export type LookResult =
  /** `presence`: the list showed an onboard that this deployment created, so that absence proves something. */
  | {
      kind: 'seen';
      onboards: SeenOnboard[];
      presence: boolean;
      /** Onboards that the list lacks although it has shown them before: what it does not show proves nothing. */
      lacks?: string[];
      ran_in?: string;
      after_reset?: boolean;
    }
  /** `no_time`: nothing is wrong with the list, there was no place for a look in time; see `needs_ms` of an outcome. */
  | { kind: 'unusable'; words: string; retry_after_ms?: number; no_time?: boolean; needs_ms?: number }
  | { kind: 'credentials'; words: string; http_status: number };

/** Statuses that mean "no, and nothing was done", provided that LeadConduit itself says so in its own error body. */
const REFUSALS = [400, 404, 409, 413, 415, 422];

/**
 * Whether a write that failed took effect. Only what is proven counts as not sent or refused; all else is unknown.
 * Source of the rules: the table in "One attempt, then look".
 */
export function outcomeOf(error: LeadConduitError, effect: 'create' | 'in_progress' | 'completed'): Became {
  const { sent, status, words, reason, retryAfterMs } = error;
  if (!sent) return { kind: 'not_sent', words: reason };
  if ((status === 401 || status === 403) && words !== undefined)
    return { kind: 'credentials', words, http_status: status };
  if (status === 429 && effect !== 'completed')
    return { kind: 'not_sent', words: words ?? reason, retry_after_ms: retryAfterMs, http_status: status };
  const isRefusal = status !== undefined && (REFUSALS.includes(status) || (status >= 300 && status < 400));
  if (isRefusal && words !== undefined)
    return { kind: 'refused', words, http_status: status, look_first: status === 409 || /already exists/i.test(words) };
  return { kind: 'unknown', words: words ?? reason, http_status: status };
}

/** The list lacks onboards that it must show: nothing is sent on its word. */
export function incomplete(lacked: readonly string[]): Extract<Outcome, { kind: 'not_sent' }> {
  const which = lacked.length === 1 ? 'onboard' : `${lacked.length} onboards, such as`;
  const words = `LeadConduit's list does not show ${which} ${lacked[0] ?? ''}, which it has shown before or must show by now: it may be incomplete or out of date`;
  return { kind: 'not_sent', words, unusable_look: true, lacks: lacked.slice(0, 20) };
}

/** What a look that failed means. */
export function lookResultOf(error: LeadConduitError): Exclude<LookResult, { kind: 'seen' }> {
  const { status, words, reason, retryAfterMs, noPlace } = error;
  if (status === 401 || status === 403) return { kind: 'credentials', words: words ?? reason, http_status: status };
  if (noPlace)
    return { kind: 'unusable', words: `${reason}: waiting for it took the attempt's whole time`, no_time: true };
  return { kind: 'unusable', words: words ? `HTTP ${status ?? ''}, ${words}` : reason, retry_after_ms: retryAfterMs };
}
