import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { OnboardRecord } from '../activities/outcomes';
import type { Effect, Status } from '../onboard/lifecycle';

/** The workflow's one argument. What `policy` leaves out has defaults in `onboard.ts`. */
export interface OnboardInput {
  /** 24 hexadecimal digits in either case. */
  invitation_id: string;
  flow_id?: string;
  label?: string;
  by?: string;
  reason?: string;
  /** RFC 3339. Set when a run follows an earlier one that may have had a call under way: nothing is sent before. */
  not_before?: string;
  /** Which calls that run may have made; where this is missing and `not_before` is given, any. */
  doubts?: Effect[];
  policy?: Partial<Policy>;
  /** Whoever starts makes one up, and sees in the answer of `whenCreated` whether the run is that start's. */
  request_id?: string;
}

/** The times that a run lives by, in milliseconds; a later change of the configuration touches new onboards only. */
export interface Policy {
  /** How long LeadConduit may take to show in its list what it has done. */
  settle_ms: number;
  /** `startToCloseTimeout` of an activity: waiting for a look and a place, one look, one write, and a reserve. */
  attempt_ms: number;
  /** How long after the completing call `failed` is looked for; 0: not at all. */
  confirm_ms: number;
  /** The first pause after a call that was not sent; it doubles up to a minute. */
  backoff_ms: number;
  /** The first pause after a refused key; it doubles up to five minutes. */
  credentials_backoff_ms: number;
}

export interface Said {
  by?: string;
  reason?: string;
  /** Makes the message safe to repeat: the same key acts once. */
  key?: string;
}
export interface Advance extends Said {
  to: 'in_progress' | 'completed';
  flow_id?: string;
}
export interface Resolve extends Said {
  action: 'retry' | 'adopt';
  /** The id of the attention that is answered; one for another id is refused as stale. */
  attention?: string;
  onboard_id?: string;
}
export type Plain = Said;
/** At LeadConduit's list, now, and follow what it shows; nothing is sent. */
export interface Look extends Said {
  /** Onboards of the invitation that a list has shown: one that lacks them is older. */
  onboard_ids?: string[];
}
export interface Note {
  text: string;
  by?: string;
  key?: string;
}

export const ATTENTION_CODES = [
  'refused',
  'credentials',
  'unknown_outcome',
  'absence_unproven',
  'duplicate',
  'flow_conflict',
  'failed_upstream',
  'unexpected_status',
  'list_unreadable',
  'not_listed',
  'not_sent',
] as const;
export type AttentionCode = (typeof ATTENTION_CODES)[number];

export const PHASES = [
  'done',
  'cancelled',
  'attention',
  'unknown',
  'creating',
  'updating',
  'held',
  'confirming',
  'waiting',
] as const;
export type Phase = (typeof PHASES)[number];

export type Action =
  | 'advance in_progress'
  | 'advance completed'
  | 'resolve retry'
  | 'resolve adopt'
  | 'hold'
  | 'release'
  | 'cancel'
  | 'note';

/** Everything that a timeline line can be about. */
export type TimelineEvent =
  | 'started'
  | 'continued' // in a new run, for the length of the history
  | 'dropped' // how much older than the rest is not kept any more
  | 'created'
  | 'adopted' // found in LeadConduit's list and taken
  | 'moved' // a status reached upstream
  | 'not_sent' // a call that surely did nothing; tried again
  | 'refused' // by LeadConduit
  | 'unknown' // a call that may have worked
  | 'absent' // a look after an unknown did not show its effect
  | 'slow_look' // what others did while LeadConduit's list took so long may be missing from it
  | 'repeated' // acted once more after three absences
  | 'checked' // a later look found all in order
  | 'attention'
  | 'attention_cleared'
  | 'look_asked'
  | 'advance_asked'
  | 'flow_set'
  | 'resolved'
  | 'held'
  | 'released'
  | 'cancel_asked'
  | 'note'
  | 'message_refused'
  | 'done'
  | 'cancelled';

export interface TimelineLine {
  at: string;
  event: TimelineEvent;
  by?: string;
  reason?: string;
  detail?: string;
}

export interface LedgerEntry {
  n: number;
  effect: Effect;
  intended_at: string;
  outcome: 'pending' | 'done' | 'not_sent' | 'refused' | 'unknown' | 'adopted' | 'resolved';
  settled_at?: string;
  onboard_id?: string;
  http_status?: number;
  words?: string;
}

export interface Attention {
  id: string;
  code: AttentionCode;
  message: string;
  since: string;
}

/** What the `state` query, our API and `show --json` answer. Times are RFC 3339. */
export interface OnboardState {
  invitation_id: string;
  label?: string;
  requested_flow_id?: string;
  /** One of ours, the upstream's own word with `unexpected_status` / `failed_upstream`, or null before the record. */
  status: Status | (string & {}) | null;
  phase: Phase;
  held: boolean;
  /** The upstream's, verbatim. */
  record: OnboardRecord | null;
  waiting_for: { who: 'operator' | 'leadconduit' | 'time' | 'nobody'; text: string };
  since: string;
  next?: { what: string; at: string };
  attention?: Attention;
  /** Exactly what would be accepted now. */
  actions: Action[];
  ledger: LedgerEntry[];
  timeline: TimelineLine[];
  as_of: string;
  /** True when no worker answered and this is only the last known. */
  stale: boolean;
}

/** All messages are signals and updates of the names in `onboard-buyer.ts`, with the payloads above. */
export const note = defineSignal<[Note]>('note');
export const look = defineSignal<[Look]>('look');

/** Answers the state once there is a record or attention is needed, and whose start made the run. All callers share one update id. */
export const whenCreated = defineUpdate<OnboardState & Pick<OnboardInput, 'request_id'>>('whenCreated');
export const WHEN_CREATED_ID = 'when-created';

export const state = defineQuery<OnboardState>('state');

/** Failure types of ours that callers tell apart. */
export const REFUSED = 'OnboardRefused';
export const ENDED = 'OnboardEnded';
/** The failure of a query that came with news of its own, see interceptors.ts: nothing is wrong. */
export const ASK_AGAIN = 'asked while something else was just happening: ask again';
