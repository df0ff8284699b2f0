import type { LeadConduitClient } from '../leadconduit/client';
import type { ListTrust } from './list-trust';
import type { Writes } from './writes';

/** What the activities of one worker share. */
export interface Deps {
  leadconduit: LeadConduitClient;
  trust: ListTrust;
  writes: Writes;
  /** The word upstream that completes an onboard. */
  completedStatus: string;
  /** See `RESERVE_MS`, its default. */
  reserveMs?: number;
}
