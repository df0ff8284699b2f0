/** A safeguard that is taken out, and the tests that must notice. */
export interface Mutant {
  name: string;
  /** Under `src`. */
  file: string;
  /** Found exactly once, or the mutant itself is out of date. */
  find: string;
  replace: string;
  /** Test files and, as for jest's `-t`, the tests in them: a safeguard's own, so that one run takes seconds. */
  tests: string[];
  only: string;
}

export const MUTANTS: Mutant[] = [
  {
    name: 'no look before the create',
    file: 'activities/onboards.ts',
    find: 'const listed = standing(look, input);\n    const [first] = listed;',
    replace: 'const listed: ListedOnboard[] = [];\n    const [first] = listed;',
    tests: ['test/outcomes'],
    only: 'an onboard that is there already',
  },
  {
    name: 'settle times a tenth',
    file: 'workflows/effect.ts',
    find: 'LOOKS_AFTER = [1, 2, 4]',
    replace: 'LOOKS_AFTER = [0.1, 0.2, 0.4]',
    tests: ['test/decisions'],
    only: '',
  },
  {
    name: 'an absence counts where no presence was seen',
    file: 'workflows/looking.ts',
    find: "pursuit.effect === 'create' ? look.presence : found !== undefined,",
    replace: 'true,',
    tests: ['test/outcomes'],
    only: 'needs attention where the list has never shown',
  },
  {
    name: 'the gate before the bytes is always open',
    file: 'leadconduit/phases.ts',
    find: 'this.refusal = this.gate();',
    replace: 'this.refusal = undefined;',
    tests: ['test/wire'],
    only: 'gate',
  },
  {
    name: 'the phase is not asked: every failure counts as not sent',
    file: 'leadconduit/wire.ts',
    find: 'sent: passage.sentAt !== undefined,',
    replace: 'sent: false,',
    tests: ['test/wire'],
    only: '',
  },
  {
    name: 'a key is not remembered',
    file: 'workflows/inbox.ts',
    find: 'if (message.key !== undefined) rememberKey(',
    replace: 'if (message.key === undefined) rememberKey(',
    tests: ['test/decisions'],
    only: '',
  },
  {
    name: 'a lost completing call is repeated by itself',
    file: 'workflows/looking.ts',
    find: "pursuit.effect === 'completed' || (",
    replace: '(',
    tests: ['test/outcomes'],
    only: 'for completed that was lost is never sent again by itself',
  },
  {
    name: 'Temporal is not asked whether the attempt still counts',
    file: 'activities/look-then-act.ts',
    find: 'const objection = await attempt.objection();',
    replace: 'const objection = await Promise.resolve(undefined);',
    tests: ['test/late-attempt'],
    only: 'an attempt that Temporal does not know any more',
  },
  {
    name: 'a run that was reset is not asked for a clearance',
    file: 'activities/look-then-act.ts',
    find: '(input.is_reset || input.is_doubtful)',
    replace: 'input.is_doubtful',
    tests: ['test/earlier-runs'],
    only: 'right after its POST, on a new worker while the list lags',
  },
  {
    name: 'a run that follows an ended one is not asked for a clearance',
    file: 'activities/look-then-act.ts',
    find: '(input.is_reset || input.is_doubtful)',
    replace: 'input.is_reset',
    tests: ['test/earlier-runs'],
    only: 'with a create whose outcome was unknown',
  },
  {
    name: 'Temporal may attempt a call more than once',
    file: 'workflows/steps.ts',
    find: 'retry: { maximumAttempts: 1 },',
    replace: 'retry: { maximumAttempts: 2 },',
    tests: ['proof/safeguards'],
    only: 'one attempt',
  },
  {
    name: 'signs of an earlier run of the activity are not heeded',
    file: 'activities/look-then-act.ts',
    find: 'if (hasEarlierRun && !isSeen)',
    replace: 'if (hasEarlierRun && isSeen)',
    tests: ['proof/safeguards'],
    only: 'signs of an earlier run',
  },
  {
    name: 'the clock is not asked before the bytes leave',
    file: 'activities/look-then-act.ts',
    find: "attempt.isTooLate ? 'too little time was left for a whole call' : undefined",
    replace: 'undefined',
    tests: ['proof/safeguards'],
    only: 'the clock gate',
  },
  {
    name: 'a query may bring news without a task',
    file: 'workflows/interceptors.ts',
    find: 'return time === before && isReplaying !== true;',
    replace: 'return before === undefined && false;',
    tests: ['test/late-query'],
    only: '',
  },
];
