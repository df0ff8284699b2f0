/** Types, lint, format, then jest with the arguments given. Ends with `N passed, N failed`. */
import { bin, close, jest, run } from './jest.mjs';

const CHECKS = [
  { name: 'types', args: [bin('typescript', 'bin', 'tsc'), '--noEmit', '-p', '.'] },
  { name: 'lint', args: [bin('eslint', 'bin', 'eslint.js'), '.', '--max-warnings', '0'] },
  { name: 'format', args: [bin('prettier', 'bin', 'prettier.cjs'), '--check', '.'] },
];

async function check({ name, args }) {
  const { isPassed, output } = await run(args, ['ignore', 'pipe', 'pipe']);
  console.log(isPassed ? `${name}: passed` : `${name}: FAILED\n${output.trimEnd()}\n`);
  return { name, passed: isPassed ? 1 : 0, failed: isPassed ? 0 : 1 };
}

const results = await Promise.all(CHECKS.map(check));
// The proof plays all of the 5,000 lives, and tries all of the 1,000 hostile cases.
const env = { ...process.env, DECISIONS_LIVES: '500', HOSTILE_CASES: '200' };
results.push(await jest('jest', process.argv.slice(2), env));
close(results);
