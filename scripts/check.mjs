/** Checks types, lint and format. Ends with `N passed, N failed`. */
import { bin, close, run } from './jest.mjs';

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

close(await Promise.all(CHECKS.map(check)));
