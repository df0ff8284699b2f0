import type { LeadConduitClient } from '../leadconduit/client';
import {
  createOnboard,
  lookForOnboard,
  moveOnboard,
  type CreateInput,
  type LookInput,
  type MoveInput,
} from './onboards';
import type { Presence } from './presence';
import type { Writes } from './writes';

export interface Deps {
  leadconduit: LeadConduitClient;
  presence: Presence;
  writes: Writes;
  /** The word upstream that completes an onboard. */
  completedStatus: string;
  /** See `RESERVE_MS`, its default. */
  reserveMs?: number;
}

/** One durable call each; they return what became of it and do not throw. */
export const createActivities = (deps: Deps) => ({
  createOnboard: (input: CreateInput) => createOnboard(deps, input),
  moveOnboard: (input: MoveInput) => moveOnboard(deps, input),
  lookForOnboard: (input: LookInput) => lookForOnboard(deps, input),
});

export type Activities = ReturnType<typeof createActivities>;
