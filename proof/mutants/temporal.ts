import type { Mutant } from './mutant';

/** Mutants of `src/temporal/`. */
export const TEMPORAL: Mutant[] = [
  {
    name: 'a worker without a key takes a named server over',
    file: 'temporal/identity.ts',
    find: "own.ground !== 'sure'",
    replace: "own.ground === 'guess'",
    tests: ['test/temporal/unclaimed'],
    only: 'is refused to a worker without a key while onboards are under way',
    noticedBy: /is refused to a worker without a key while onboards are under way/,
    says: /Received has value: undefined|Received.*undefined/,
  },
];
