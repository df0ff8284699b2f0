import { HEX24_RULE, isHex24 } from './ids';
import { isEffect, type Effect } from './lifecycle';
import { isUndecodable } from './undecodable';

/** The workflow's only argument. Fields that `policy` leaves out are taken from `DEFAULT_POLICY`. */
export interface OnboardInput {
  /** 24 hexadecimal digits in either case. */
  invitation_id: string;
  flow_id?: string;
  label?: string;
  by?: string;
  reason?: string;
  /** RFC 3339. Nothing is sent before this time. Set if an earlier run may still have a call under way. */
  not_before?: string;
  /** The calls that the earlier run may have made. If this is missing and `not_before` is given: any of them. */
  maybe_sent_before?: Effect[];
  policy?: Partial<Policy>;
  /** Made up by the caller. The answer of `whenCreated` holds it, which shows whether this request started the run. */
  request_id?: string;
}

/** The durations of one run, in ms. A new configuration affects new onboards only, but it can lengthen `attempt_ms`. */
export interface Policy {
  /** How long LeadConduit may take to show in its list what it has done. */
  settle_ms: number;
  /** `startToCloseTimeout` of an activity: a wait for a look and for a slot, one look, one write, and a reserve. */
  attempt_ms: number;
  /** How long after the completing call one more look checks for `failed`; 0 for no such look. */
  confirm_ms: number;
  /** The first pause after a call that was not sent; it doubles up to a minute. */
  backoff_ms: number;
  /** The first pause after a refused key; it doubles up to five minutes. */
  credentials_backoff_ms: number;
}

export const DEFAULT_POLICY: Policy = {
  settle_ms: 60_000,
  attempt_ms: 60_000,
  confirm_ms: 120_000,
  backoff_ms: 1_000,
  credentials_backoff_ms: 15_000,
};

const MONTH_MS = 30 * 86_400_000;

/** Why a workflow must not start with this input, if so: a start by hand may pass anything. */
export function inputProblem(input: unknown): string | undefined {
  if (typeof input !== 'object' || input === null || isUndecodable(input)) return 'the input cannot be read';
  const { invitation_id, flow_id, label, by, reason, not_before, maybe_sent_before, policy, request_id } =
    input as Record<string, unknown>;
  if (!isHex24(invitation_id)) return `invitation_id ${HEX24_RULE}`;
  if (flow_id != null && !isHex24(flow_id)) return `flow_id ${HEX24_RULE}`;
  if ([label, by, reason, request_id].some((text) => text != null && typeof text !== 'string'))
    return 'label, by, reason and request_id must be texts';
  // A time without an offset would be read in the worker's own time zone.
  if (
    not_before != null &&
    !(typeof not_before === 'string' && /(Z|[+-]\d\d:\d\d)$/i.test(not_before) && Date.parse(not_before))
  )
    return 'not_before must be a time with its offset (RFC 3339)';
  if (maybe_sent_before != null && !(Array.isArray(maybe_sent_before) && maybe_sent_before.every(isEffect)))
    return 'maybe_sent_before must be a list of calls';
  if (policy != null && typeof policy !== 'object') return 'policy must be an object';
  const times = Object.entries(policy ?? {});
  const isTime = ([name, ms]: [string, unknown]) =>
    Number.isFinite(ms) && (ms as number) >= (name === 'confirm_ms' ? 0 : 1) && (ms as number) <= MONTH_MS;
  return times.every(isTime) ? undefined : 'policy must hold milliseconds, 30 days at most';
}
