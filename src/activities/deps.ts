import type { LeadConduitClient } from '../leadconduit/client';
import type { ListTrust } from './list-trust';
import type { InFlightWrites } from './in-flight-writes';

/** What the activities of one worker share. */
export interface Deps {
  leadconduit: LeadConduitClient;
  trust: ListTrust;
  writes: InFlightWrites;
  /** LeadConduit's status word for a completed onboard. */
  completedStatus: string;
  /** In ms. The default is `RESERVE_MS` of `onboard/time-budget.ts`. */
  reserveMs?: number;
}
