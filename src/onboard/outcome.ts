/** What the activities tell the workflow: what became of one attempt at an effect, and what one look at the list shows. */
import type { Evidence } from './evidence';

/** An onboard exactly as LeadConduit shows it. Every field is kept, since a `PUT` replaces the whole record. */
export interface OnboardRecord {
  id: string;
  invitation_id: string;
  account_id?: string | null;
  connection_id?: string | null;
  flow_id?: string | null;
  status?: string | null;
  /** RFC 3339. */
  created_at?: string | null;
  updated_at?: string | null;
  [field: string]: unknown;
}

/** A record with its status in our terms: `completed` for the configured completing word, else LeadConduit's word. */
export interface SeenOnboard {
  record: OnboardRecord;
  status: string;
}

/** What became of one attempt at an effect. A value, never an exception: only the workflow decides what follows. */
export type Outcome = AttemptOutcome & {
  evidence?: Evidence;
  /** Set if the look that the attempt relied on was slow: its duration in ms. It may miss what others did meanwhile. */
  slow_look_ms?: number;
  /** Set if the attempt was too short for this worker's calls: how long it has to be, in ms. */
  needs_ms?: number;
};

/** The part of an outcome that is about the call and LeadConduit. */
export type AttemptOutcome =
  | { kind: 'done'; seen: SeenOnboard; adopted: boolean }
  | {
      kind: 'not_sent';
      words: string;
      retry_after_ms?: number;
      http_status?: number;
      unusable_look?: boolean;
      /** Onboards that an unusable list lacks although it must show them. */
      lacks?: string[];
      /** The attempt ran out of time, and nothing else is wrong. */
      no_time?: boolean;
      /** The workflow cancelled the attempt before the call was sent: the onboard is held, or being cancelled. */
      called_back?: boolean;
    }
  | { kind: 'not_listed'; words: string }
  | { kind: 'refused'; words: string; http_status: number; look_first: boolean }
  /** `at_look`: the look was refused already, so the call was not sent. */
  | { kind: 'credentials'; words: string; http_status: number; at_look?: boolean }
  /** `may_send_for_ms`: for how much longer another execution of this activity could still send. */
  | { kind: 'unknown'; words: string; http_status?: number; may_send_for_ms?: number }
  | { kind: 'duplicate'; onboard_ids: string[] }
  /** The status is `failed`, unknown to us, or before one that was reached. Nothing was sent over it. */
  | { kind: 'unexpected'; seen: SeenOnboard; may_be_old?: boolean }
  /** Somebody changed the flow in LeadConduit. Nothing was sent over it. `may_be_old`: or the list is just old. */
  | { kind: 'flow_changed'; seen: SeenOnboard; may_be_old?: boolean };

/** What one look at LeadConduit's list told about an invitation. */
export type LookResult =
  | {
      kind: 'seen';
      onboards: SeenOnboard[];
      /** The list lacks nothing that it must show, and shows an onboard of ours: what is not in it does not exist. */
      proves_absence: boolean;
      /** Onboards that the list lacks although it must show them: what it does not show proves nothing. */
      lacks?: string[];
      evidence?: Evidence;
    }
  /** `no_time`: nothing is wrong with the list, but there was no look in time; see `needs_ms` of an outcome. */
  | { kind: 'unusable'; words: string; retry_after_ms?: number; no_time?: boolean; needs_ms?: number }
  | { kind: 'credentials'; words: string; http_status: number };
