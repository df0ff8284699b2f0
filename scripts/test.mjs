/** What CI runs: types, lint, format, then jest with the arguments given. Ends with `N passed, N failed`. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (...path) => join(root, 'node_modules', ...path);
const CHECKS = [
  { name: 'types', args: [bin('typescript', 'bin', 'tsc'), '--noEmit', '-p', '.'] },
  { name: 'lint', args: [bin('eslint', 'bin', 'eslint.js'), '.', '--max-warnings', '0'] },
  { name: 'format', args: [bin('prettier', 'bin', 'prettier.cjs'), '--check', '.'] },
];

function run(args, stdio) {
  const child = spawn(process.execPath, args, { cwd: root, stdio });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => child.once('close', (code) => resolve({ isPassed: code === 0, output })));
}

async function check({ name, args }) {
  const { isPassed, output } = await run(args, ['ignore', 'pipe', 'pipe']);
  console.log(isPassed ? `${name}: passed` : `${name}: FAILED\n${output.trimEnd()}\n`);
  return { name, passed: isPassed ? 1 : 0, failed: isPassed ? 0 : 1 };
}

async function jest(args) {
  const folder = mkdtempSync(join(tmpdir(), 'onboards-jest-'));
  const file = join(folder, 'results.json');
  const { isPassed } = await run([bin('jest', 'bin', 'jest.js'), '--json', '--outputFile', file, ...args], 'inherit');
  let results = { numPassedTests: 0, numFailedTests: 0, numRuntimeErrorTestSuites: 0 };
  try {
    results = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // It did not come to its results: one failure, below.
  }
  rmSync(folder, { recursive: true, force: true });
  const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
  return { name: 'jest', passed: results.numPassedTests, failed: failed === 0 && !isPassed ? 1 : failed };
}

const results = await Promise.all(CHECKS.map(check));
results.push(await jest(process.argv.slice(2)));
const sum = (what) => results.reduce((total, result) => total + result[what], 0);
const broken = results.filter(({ failed }) => failed > 0).map(({ name }) => name);
console.log(broken.length > 0 ? `\nFailed: ${broken.join(', ')}` : '');
console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
process.exitCode = broken.length > 0 ? 1 : 0;
