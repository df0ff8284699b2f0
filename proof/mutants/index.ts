import { ACTIVITIES } from './activities';
import { CLIENT } from './client';
import { HTTP } from './http';
import { LEADCONDUIT } from './leadconduit';
import { ONBOARD } from './onboard';
import { TEMPORAL } from './temporal';
import { WORKFLOWS } from './workflows';
import type { Mutant } from './mutant';

export type { Mutant };

/** Each is in the file of its room of `src/`. */
export const MUTANTS: Mutant[] = [
  ...ACTIVITIES,
  ...CLIENT,
  ...HTTP,
  ...LEADCONDUIT,
  ...ONBOARD,
  ...TEMPORAL,
  ...WORKFLOWS,
];
