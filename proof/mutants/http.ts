import type { Mutant } from './mutant';

/** Mutants of `src/http/`. */
export const HTTP: Mutant[] = [
  {
    name: 'an empty password may be a key',
    file: 'http/keys.ts',
    find: 'return guessable(password) === undefined ? found : undefined;',
    replace: 'return found;',
    tests: ['test/http/keys'],
    only: 'no key at all lets nobody in',
    noticedBy: /no key at all lets nobody in/,
    says: /./,
  },
];
