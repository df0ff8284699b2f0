/** What the activities tell the workflow: what became of one attempt at an effect, and what one look at the list shows. */
import type { Evidence } from './evidence';

/** An onboard as LeadConduit shows it, verbatim: whatever else it holds is kept, since a `PUT` replaces the whole record. */
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

/** A record with its status in our words: one of the three, `failed`, or the upstream's own where it is none of them. */
export interface SeenOnboard {
  record: OnboardRecord;
  status: string;
}

/** What became of one attempt at an effect. A value, never an exception: only the workflow decides what follows. */
export type Outcome = AttemptOutcome & {
  evidence?: Evidence;
  /** How long the look took by which it was acted, where that was long: what others did meanwhile may be missing. */
  slow_look_ms?: number;
  /** The attempt was too short for the calls of this worker: how long one has to be. */
  needs_ms?: number;
};

/** Of one attempt, as far as LeadConduit and the call are concerned. */
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
      /** Nothing is wrong but that the attempt's time was up. */
      no_time?: boolean;
      /** The run has cancelled this call before it was sent: it is held, or being cancelled. */
      called_back?: boolean;
    }
  | { kind: 'not_listed'; words: string }
  | { kind: 'refused'; words: string; http_status: number; look_first: boolean }
  /** `at_look`: already the look was refused, so that nothing was sent. */
  | { kind: 'credentials'; words: string; http_status: number; at_look?: boolean }
  /** `may_send_for_ms`: for how much longer another execution of this activity could still send. */
  | { kind: 'unknown'; words: string; http_status?: number; may_send_for_ms?: number }
  | { kind: 'duplicate'; onboard_ids: string[] }
  /** The onboard stands at `failed`, at a status that we do not know, or before one that was reached: never written over. */
  | { kind: 'unexpected'; seen: SeenOnboard; may_be_old?: boolean }
  /** Somebody has changed its flow upstream: not written over. `may_be_old`: or the list lags behind our own change. */
  | { kind: 'flow_changed'; seen: SeenOnboard; may_be_old?: boolean };

/** What one look at LeadConduit's list told about an invitation. */
export type LookResult =
  | {
      kind: 'seen';
      onboards: SeenOnboard[];
      /** The list shows an onboard that was created here, so that what it does not show is not there. */
      proves_absence: boolean;
      /** Onboards that the list lacks although it must show them: what it does not show proves nothing. */
      lacks?: string[];
      evidence?: Evidence;
    }
  /** `no_time`: nothing is wrong with the list, there was no slot for a look in time; see `needs_ms` of an outcome. */
  | { kind: 'unusable'; words: string; retry_after_ms?: number; no_time?: boolean; needs_ms?: number }
  | { kind: 'credentials'; words: string; http_status: number };
