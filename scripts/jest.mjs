import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
export const bin = (...path) => join(root, 'node_modules', ...path);

/** Runs a Node program in the project's folder. */
export function run(args, stdio, env = process.env) {
  const child = spawn(process.execPath, args, { cwd: root, stdio, env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => child.once('close', (code) => resolve({ isPassed: code === 0, output })));
}

/** @returns how many tests passed and failed, and which; a run without results is one failure. */
export async function jest(name, args, env) {
  const folder = mkdtempSync(join(tmpdir(), 'onboards-jest-'));
  const file = join(folder, 'results.json');
  const { isPassed } = await run(
    [bin('jest', 'bin', 'jest.js'), '--json', '--outputFile', file, ...args],
    'inherit',
    env,
  );
  let results = { numPassedTests: 0, numFailedTests: 0, numRuntimeErrorTestSuites: 0, testResults: [] };
  try {
    results = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // No results: one failure, below.
  }
  rmSync(folder, { recursive: true, force: true });
  const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
  const titles = failuresOf(results);
  if (failed === 0 && !isPassed)
    return { name, passed: results.numPassedTests, failed: 1, titles: ['it did not end well'] };
  return { name, passed: results.numPassedTests, failed, titles };
}

/** The failed tests by file and full name; a file that could not be run stands for its tests. */
function failuresOf({ testResults }) {
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((one) => one.status === 'failed').map(({ fullName }) => fullName);
    if (status === 'failed' && failed.length === 0)
      failed.push(
        `it could not be run: ${
          message
            .replace(/^.*failed to run\s*/, '')
            .trim()
            .split('\n')[0]
        }`,
      );
    return failed.map((title) => `${relative(root, name)}: ${title.replace(/\s+/g, ' ')}`);
  });
}

/** Prints what failed and the closing line, and sets the exit code. */
export function close(results) {
  const sum = (what) => results.reduce((total, result) => total + result[what], 0);
  const broken = results.filter(({ failed }) => failed > 0);
  console.log(broken.length > 0 ? `\nFailed: ${broken.map(({ name }) => name).join(', ')}` : '');
  for (const { titles = [] } of broken) for (const title of titles) console.log(`  ${title}`);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
  process.exitCode = broken.length > 0 ? 1 : 0;
}
