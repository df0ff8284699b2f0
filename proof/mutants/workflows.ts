import type { Mutant } from './mutant';

/** Mutants of `src/workflows/`. */
export const WORKFLOWS: Mutant[] = [
  {
    name: 'Temporal may attempt a call more than once',
    file: 'workflows/proxies.ts',
    find: 'retry: { maximumAttempts: 1 },',
    replace: 'retry: { maximumAttempts: 2 },',
    tests: ['proof/safeguards'],
    only: 'one attempt',
    noticedBy: /^one attempt/,
    says: /\+ +"words": "this attempt was made before/,
  },
  {
    name: 'a query may bring news without a task',
    file: 'workflows/interceptors.ts',
    find: 'return time === before && isReplaying !== true;',
    replace: 'return before === undefined && false;',
    tests: ['test/workflows/late-query'],
    only: '',
    noticedBy: /a timer that fires while queries wait/,
    says: /Nondeterminism error/,
  },
  {
    name: 'a hold calls nothing back',
    file: 'workflows/listen.ts',
    find: 'if (onboard.held || onboard.cancelling) callBack();',
    replace: '',
    tests: ['test/workflows/hold'],
    only: 'a hold while no worker has taken the call',
    noticedBy: /while no worker has taken the call/,
    says: /never held/,
  },
];
