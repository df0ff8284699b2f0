/** The proof must not rot: with any one safeguard taken out, its tests must say so. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { MUTANTS, type Mutant } from './mutants';

const root = join(__dirname, '..');
const PARTS = ['src', 'test', 'proof', 'scripts', 'package.json', 'tsconfig.json', 'jest.config.cjs'];

interface Results {
  success: boolean;
  numPassedTests: number;
  numRuntimeErrorTestSuites: number;
  testResults: { message: string; assertionResults: TestResult[] }[];
}
interface TestResult {
  status: string;
  fullName: string;
  failureMessages: string[];
}

const failedOf = ({ testResults }: Results): TestResult[] =>
  testResults.flatMap(({ assertionResults }) => assertionResults.filter(({ status }) => status === 'failed'));

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'onboards-mutants-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A copy of the tree, to be changed. */
function copyOf(name: string): string {
  const copy = join(folder, name.replaceAll(/\W+/g, '-'));
  mkdirSync(copy);
  for (const part of PARTS) cpSync(join(root, part), join(copy, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

function change(copy: string, { file, find, replace }: Mutant): void {
  const path = join(copy, 'src', file);
  const parts = readFileSync(path, 'utf8').split(find);
  if (parts.length !== 2) throw new Error(`${file} has "${find}" ${parts.length - 1} times: mend the mutant`);
  writeFileSync(path, parts.join(replace));
}

async function run(copy: string, { tests, only }: Pick<Mutant, 'tests' | 'only'>): Promise<Results> {
  const output = join(copy, 'results.json');
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const isWithoutServer = tests.every((file) => file.startsWith('test/onboard/'));
  const args = [
    '--config',
    isWithoutServer ? 'test/onboard/jest.config.cjs' : 'proof/jest.config.cjs',
    '--json',
    '--outputFile',
    output,
    '--forceExit',
    '-t',
    only,
    ...tests,
  ];
  // The same lives each time: whether a mutant is noticed is not left to chance.
  const env = { ...process.env, TEMPORAL_CLI_PATH: process.env.TEST_TEMPORAL_CLI, DECISIONS_SEED: '1' };
  const child = spawn(process.execPath, [jest, ...args], { cwd: copy, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)));
  await once(child, 'close');
  if (!existsSync(output)) throw new Error(`jest did not come to its results:\n${said.slice(-4_000)}`);
  return JSON.parse(readFileSync(output, 'utf8')) as Results;
}

test.each([
  ['whole files', MUTANTS.filter(({ only }) => only === '')],
  ['single tests', MUTANTS.filter(({ only }) => only !== '')],
])(
  'unchanged, they pass: %s',
  async (name, mutants) => {
    const tests = [...new Set(mutants.flatMap((mutant) => mutant.tests))];
    const results = await run(copyOf(name), { tests, only: mutants.map(({ only }) => only).join('|') });
    const failures = failedOf(results).map(
      ({ fullName, failureMessages }) => `${fullName}: ${failureMessages.join('\n')}`,
    );
    expect(failures).toEqual([]);
    expect(results.testResults.map(({ message }) => message).filter(Boolean)).toEqual([]);
    expect(results.success).toBe(true);
    expect(results.numPassedTests).toBeGreaterThanOrEqual(tests.length);
  },
  600_000,
);

test.concurrent.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
  'noticed: %s',
  async (name, mutant) => {
    const copy = copyOf(name);
    change(copy, mutant);
    const results = await run(copy, mutant);
    expect(results.numRuntimeErrorTestSuites).toBe(0);
    // That it fails is not enough: on a slow machine a test may fail that has noticed nothing.
    const failed = failedOf(results).map(({ fullName, failureMessages }) => ({
      fullName,
      why: stripVTControlCharacters(failureMessages.join('\n')),
    }));
    expect(failed).toContainEqual({
      fullName: expect.stringMatching(mutant.noticedBy) as string,
      why: expect.stringMatching(mutant.says) as string,
    });
  },
  600_000,
);
