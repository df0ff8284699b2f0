import type { Mutant } from './mutant';

/** Mutants of `src/client/`. */
export const CLIENT: Mutant[] = [
  {
    name: "another task queue's onboard is taken for ours",
    file: 'client/runs.ts',
    find: 'if (run.taskQueue === this.taskQueue) return run;',
    replace: 'if (run.taskQueue) return run;',
    tests: ['test/temporal/identity'],
    only: 'is refused wherever an id is taken',
    noticedBy: /is refused wherever an id is taken/,
    says: /Received promise resolved instead of rejected/,
  },
];
