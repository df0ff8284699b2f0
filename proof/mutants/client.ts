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
  {
    name: 'a start is lost in a run that is being cancelled',
    file: 'client/start.ts',
    find: 'if (!(await this.runs.isBeingCancelled(run))) return run;',
    replace: 'if (run) return run;',
    tests: ['test/client/start'],
    only: 'again while a cancel that was accepted waits and nobody carries on',
    noticedBy: /and nobody carries on: it says so/,
    says: /Received promise resolved instead of rejected/,
  },
];
