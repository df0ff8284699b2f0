/** Whatever ends, hangs or stops polling under `npm start` is replaced. Real processes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bornAt } from '../src/processes';
import { readUpFile, type UpFile } from '../src/temporal/up-file';

const SAMPLE = '64b8f0f5e4b0c3a1d5e6f7a8';
/** From what is done to a process until it is known, and its place is given to another. */
const NOTICED_MS = 10_000;

jest.setTimeout(150_000);

let folder: string;
let child: ChildProcess;
let output: string;
let ended: Promise<unknown>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'onboards-supervision-'));
});
afterEach(async () => {
  child.kill('SIGTERM');
  await ended;
  rmSync(folder, { recursive: true, force: true });
});

const run = (program: string, settings: Record<string, string> = {}, ...args: string[]) => {
  const { PATH, HOME, TEST_TEMPORAL_CLI } = process.env;
  const sabotage = {
    NODE_OPTIONS: `--require ${join(__dirname, '..', 'test', 'support', 'sabotage.cjs')}`,
    SABOTAGE_FOLDER: folder,
  };
  const ports = { TEMPORAL_PORT: '0', TEMPORAL_UI_PORT: '0', EMULATOR_PORT: '0', PORT: '0' };
  const own = {
    ONBOARDS_DATA_DIR: folder,
    TEMPORAL_CLI_PATH: TEST_TEMPORAL_CLI,
    TEMPORAL_CONFIG_FILE: '/dev/null',
  };
  return spawn(process.execPath, [join(__dirname, '..', 'run.mjs'), program, ...args], {
    cwd: folder,
    env: { PATH, HOME, ...sabotage, ...ports, ...own, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
};

function npmStart(settings: Record<string, string> = {}): void {
  child = run('up', settings);
  output = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  ended = once(child, 'exit');
}

async function until(what: string, is: () => boolean | Promise<boolean>, waitMs = 60_000): Promise<void> {
  const deadline = performance.now() + waitMs;
  while (!(await is())) {
    if (child.exitCode !== null) throw new Error(`npm start ended before it was ${what}:\n${output}`);
    if (performance.now() > deadline) throw new Error(`never ${what}:\n${output}`);
    await sleep(50);
  }
}
const said = (words: string | RegExp) => until(`said: ${String(words)}`, () => new RegExp(words).test(output));
const up = (): UpFile => readUpFile(folder)!;

/** How many workers have come to poll so far. */
const polling = () => readFileSync(join(folder, 'logs', 'worker.log'), 'utf8').match(/^Worker ready/gm)?.length ?? 0;

const emulate = (method: string, path: string, body?: unknown) =>
  fetch(`${up().emulator!.url}/_emulator/${path}`, {
    method,
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
const puts = async () => ((await (await emulate('GET', 'ledger')).json()) as { calls: { PUT: number } }).calls.PUT;

/** The onboards command comes to its end; what it says. */
async function onboards(...args: string[]): Promise<string> {
  const cli = run('starter', {}, ...args);
  let text = '';
  for (const stream of [cli.stdout, cli.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(cli, 'close');
  return text;
}

test('a worker that polls no more, hangs or is stopped is replaced within 10 s; one that drains is not', async () => {
  npmStart({ LEADCONDUIT_TIMEOUT: '40s' });
  await said('Ready after');
  const replaced = async (pid: number, words: RegExp) => {
    const before = polling();
    await until('replaced', () => up().worker.pid !== pid, NOTICED_MS);
    expect(output).toMatch(words);
    expect(bornAt(pid)).toBeUndefined();
    await until('polling', () => polling() > before);
    return up().worker.pid;
  };

  // With a call under way, which its SDK waits for: 40 s.
  await emulate('PUT', 'faults', [{ on: 'PUT', when: 'after', do: 'hang', times: 1 }]);
  const advancing = onboards('advance', SAMPLE, '--to', 'in_progress', '--wait', '1s');
  await until('calling', async () => (await puts()) === 1);
  let { pid } = up().worker;
  process.kill(pid, 'SIGUSR2');
  pid = await replaced(
    pid,
    /ended with exit code 1: starting it again\.[^]*no longer polls, and nobody asked it to end/,
  );
  await advancing;

  for (const signal of ['SIGPWR', 'SIGSTOP'] as const) {
    output = '';
    process.kill(pid, signal);
    pid = await replaced(pid, new RegExp(`The worker \\(pid ${pid}\\) hung or was stopped, and was killed`));
  }

  await emulate('DELETE', 'faults');
  await emulate('PUT', 'faults', [{ on: 'PUT', when: 'before', do: 'slow', ms: 11_000, times: 1 }]);
  const before = await puts();
  output = '';
  const created = await onboards('start', '64b8f0f5e4b0c3a1d5e6f7a9');
  expect(created).toMatch(/^Created\./);
  await onboards('advance', '64b8f0f5e4b0c3a1d5e6f7a9', '--to', 'in_progress', '--wait', '1s');
  await until('calling', async () => (await puts()) > before);
  process.kill(pid, 'SIGTERM');
  await said('The worker ended with exit code 0');
  expect(output).not.toContain('killed');
});

test('whatever ends is started again, ever more slowly and with its last words; all goes on', async () => {
  npmStart();
  await said('Ready after');
  const { temporal, emulator, worker, api } = up();
  process.kill(emulator!.pid, 'SIGKILL');
  process.kill(temporal.pid!, 'SIGKILL');
  writeFileSync(join(folder, 'no-worker'), '');
  process.kill(worker.pid, 'SIGKILL');
  await said(/The worker ended by SIGKILL: starting it again\./);
  await said(
    /The worker ended with exit code 3, 2 times in a row soon after its start: starting it again in 1 s\. It wrote last:\n {2}no worker today\nIts log: .*worker\.log/,
  );
  await said(/3 times in a row soon after its start: starting it again in 2 s/);
  rmSync(join(folder, 'no-worker'));
  await until('polling', () => polling() === 2);
  const now = up();
  expect(now).toEqual({
    ...now,
    api,
    temporal: { ...temporal, pid: expect.any(Number) as number },
    emulator: { ...emulator, pid: expect.any(Number) as number },
  });
  expect([now.temporal.pid, now.emulator!.pid]).not.toEqual([temporal.pid, emulator!.pid]);
  expect(await onboards('advance', SAMPLE, '--to', 'in_progress', '--wait', '30s')).toMatch(/in_progress/);
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  const pids = [now.temporal.pid!, now.emulator!.pid, now.worker.pid, now.api!.pid];
  expect(pids.filter((pid) => bornAt(pid) !== undefined)).toEqual([]);
});

test('what was never ready ends the start, with its last words', async () => {
  writeFileSync(join(folder, 'no-worker'), '');
  npmStart();
  expect(await ended).toEqual([1, null]);
  expect(output).toMatch(/The worker ended with exit code 3\. It wrote last:\n {2}no worker today\nIts log: /);
  expect(readFileSync(join(folder, 'logs', 'worker.log'), 'utf8').match(/no worker today/g)).toHaveLength(1);
  for (const name of ['lock', 'up.json', 'children.json']) expect(existsSync(join(folder, name))).toBe(false);
});
