import { heartbeating } from './attempt';
import type { Deps } from './deps';
import {
  createOnboard,
  lookForOnboard,
  moveOnboard,
  type CreateInput,
  type LookInput,
  type MoveInput,
} from './onboards';

export type { Deps } from './deps';

/** Each makes at most one call that changes something. They return what became of it; an exception is a bug. */
export const createActivities = (deps: Deps) => ({
  createOnboard: (input: CreateInput) => createOnboard(deps, input),
  moveOnboard: (input: MoveInput) => moveOnboard(deps, input),
  lookForOnboard: (input: LookInput) => heartbeating(() => lookForOnboard(deps, input)),
});

export type Activities = ReturnType<typeof createActivities>;
