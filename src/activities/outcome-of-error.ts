import type { LeadConduitError } from '../leadconduit/leadconduit-error';
import { EFFECTS, type Effect } from '../onboard/lifecycle';
import type { AttemptOutcome, LookResult, Outcome } from '../onboard/outcome';

/** Statuses that mean "no, and nothing was done", provided that LeadConduit itself says so in its own error body. */
const REFUSALS = [400, 404, 409, 413, 415, 422];

/**
 * Whether a write that failed took effect. Only what is proven counts as not sent or refused; all else is unknown.
 * The rules are those of "One attempt, then look" in `docs/architecture.md`.
 */
export function outcomeOf(error: LeadConduitError, effect: Effect): AttemptOutcome {
  const { sent, status, words, reason, retryAfterMs } = error;
  if (!sent) return { kind: 'not_sent', words: reason };
  if ((status === 401 || status === 403) && words !== undefined)
    return { kind: 'credentials', words, http_status: status };
  // A gateway may answer 429 to a call that went through. A call that must never be repeated is therefore unknown.
  if (status === 429 && EFFECTS[effect].repeatsItself !== 'never')
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
  const { status, words, reason, retryAfterMs, noSlot } = error;
  if (status === 401 || status === 403) return { kind: 'credentials', words: words ?? reason, http_status: status };
  if (noSlot)
    return { kind: 'unusable', words: `${reason}: waiting for it took the attempt's whole time`, no_time: true };
  return { kind: 'unusable', words: words ? `HTTP ${status ?? ''}, ${words}` : reason, retry_after_ms: retryAfterMs };
}
