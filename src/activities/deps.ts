import type { LeadConduitClient } from '../leadconduit/client';
import type { ListTrust } from './list-trust';
import type { InFlightWrites } from './in-flight-writes';

/** What the activities of one worker share. */
export interface Deps {
  leadconduit: LeadConduitClient;
  trust: ListTrust;
  writes: InFlightWrites;
  /** The word upstream that completes an onboard. */
  completedStatus: string;
  /** See `RESERVE_MS` in `onboard/time-budget.ts`, its default. */
  reserveMs?: number;
}
