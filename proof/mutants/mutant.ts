/** A safeguard that is taken out, and the tests that must notice. */
export interface Mutant {
  name: string;
  /** Under `src`. */
  file: string;
  /** It must be found exactly once, or the mutant itself is out of date. */
  find: string;
  replace: string;
  /** Test files and, as for jest's `-t`, the tests in them: a safeguard's own, so that one run takes seconds. */
  tests: string[];
  only: string;
  /** The test that must fail, and what it must say. */
  noticedBy: RegExp;
  says: RegExp;
}
