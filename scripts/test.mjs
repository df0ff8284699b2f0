/** Runs Jest with the given arguments. Ends with `N passed, N failed`. */
import { close, jest } from './jest.mjs';

// Fewer than in the proof, which plays all 5,000 lives and tries all 1,000 hostile cases.
const env = { ...process.env, DECISIONS_LIVES: '500', HOSTILE_CASES: '200' };
close([await jest('jest', process.argv.slice(2), env)]);
