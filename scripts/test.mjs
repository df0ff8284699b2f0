/** Jest with the arguments given. Ends with `N passed, N failed`. */
import { close, jest } from './jest.mjs';

// The proof plays all of the 5,000 lives, and tries all of the 1,000 hostile cases.
const env = { ...process.env, DECISIONS_LIVES: '500', HOSTILE_CASES: '200' };
close([await jest('jest', process.argv.slice(2), env)]);
