import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { bornAt } from '../src/processes';
import { readUpFile, type UpFile } from '../src/temporal/up-file';

const RUN = join(__dirname, '..', 'run.mjs');
const SAMPLE_WORKFLOW = 'onboard-64b8f0f5e4b0c3a1d5e6f7a8';

jest.setTimeout(120_000);

let folder: string;
let started: { child: ChildProcess; ended: Promise<unknown> }[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'onboards-up-'));
  started = [];
});
afterEach(async () => {
  for (const { child, ended } of started) {
    child.kill('SIGTERM');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

/** `npm start` as a user has it, on free ports, in a data folder of its own. */
const npmStart = (settings: Record<string, string> = {}) =>
  run('up', { TEMPORAL_PORT: '0', TEMPORAL_UI_PORT: '0', EMULATOR_PORT: '0', PORT: '0', ...settings });

/** Another program of ours, in the same folder. */
function run(program: string, settings: Record<string, string> = {}, ...args: string[]) {
  const { PATH, HOME } = process.env;
  const own = { TEMPORAL_CLI_PATH: process.env.TEST_TEMPORAL_CLI, TEMPORAL_CONFIG_FILE: '/dev/null' };
  const env = { PATH, HOME, ONBOARDS_DATA_DIR: join(folder, 'data'), ...own, ...settings };
  const child = spawn(process.execPath, [RUN, program, ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  started.push({ child, ended });
  return {
    pid: child.pid!,
    output: () => output,
    ended,
    signal: (name: NodeJS.Signals) => child.kill(name),
    async ready(dataDir?: string): Promise<UpFile> {
      while (!output.includes('Ready after')) {
        if (child.exitCode !== null) throw new Error(`npm start ended:\n${output}`);
        await sleep(50);
      }
      return upFile(dataDir);
    },
  };
}

const inData = (name: string) => join(folder, 'data', name);
const upFile = (dataDir = inData('')) => JSON.parse(readFileSync(join(dataDir, 'up.json'), 'utf8')) as UpFile;
const childrenOf = (up: UpFile) => [up.api!.pid, up.worker.pid, up.emulator!.pid, up.temporal.pid!];
const alive = (pids: number[]) => pids.filter((pid) => bornAt(pid) !== undefined);

/** What a process was given; nothing where there is no `/proc`. */
const environmentOf = (pid: number) =>
  existsSync(`/proc/${pid}/environ`) ? readFileSync(`/proc/${pid}/environ`, 'utf8') : '';

async function sampleRuns({ temporal }: UpFile): Promise<string[]> {
  const connection = await Connection.connect({ address: temporal.address });
  const runs: string[] = [];
  const { workflow } = new Client({ connection });
  const { status } = await workflow.getHandle(SAMPLE_WORKFLOW).describe();
  for await (const run of workflow.list({ query: `WorkflowId = '${SAMPLE_WORKFLOW}'` })) runs.push(run.runId);
  await connection.close();
  expect(status.name).toBe('RUNNING');
  return runs;
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

test('starts everything with the sample, says where it is, ends it all, and goes on where it was', async () => {
  const first = npmStart();
  const up = await first.ready();
  expect(up).toEqual({
    pid: first.pid,
    started_at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    upstream: 'emulator',
    temporal: {
      address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
      namespace: 'default',
      ui: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
      pid: expect.any(Number) as number,
    },
    worker: { pid: expect.any(Number) as number },
    emulator: {
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
      pid: expect.any(Number) as number,
    },
    api: {
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
      pid: expect.any(Number) as number,
      key_file: inData('api-key'),
    },
    settings: { task_queue: 'onboards', settle_ms: 60_000, confirm_ms: 120_000, call_ms: 15_000 },
  });
  expect(statSync(inData('')).mode & 0o777).toBe(0o700);
  expect(statSync(inData('api-key')).mode & 0o777).toBe(0o600);
  expect(alive(childrenOf(up))).toHaveLength(4);
  expect(first.output()).toContain(`npm run -s onboards -- list`);
  expect(first.output()).toContain(`Temporal CLI ${process.env.TEST_TEMPORAL_CLI ?? ''}\n`);
  expect(first.output()).toContain('--to in_progress');
  const runs = await sampleRuns(up);

  const since = Date.now();
  first.signal('SIGTERM');
  expect(await first.ended).toBe(0);
  expect(Date.now() - since).toBeLessThan(30_000);
  expect(alive([first.pid, ...childrenOf(up)])).toEqual([]);
  for (const name of ['up.json', 'lock', 'children.json', 'sample-due']) expect(existsSync(inData(name))).toBe(false);

  const second = npmStart();
  expect(await sampleRuns(await second.ready())).toEqual(runs);
  // Somebody may have moved it on.
  expect(second.output()).not.toContain('--to in_progress');
});

test('after a kill -9 the next one ends what was left and takes over', async () => {
  const killed = npmStart();
  const before = await killed.ready();
  killed.signal('SIGKILL');
  await killed.ended;
  expect(alive(childrenOf(before))).toHaveLength(4);

  const next = npmStart();
  const after = await next.ready();
  expect(alive(childrenOf(before))).toEqual([]);
  expect(next.output()).toMatch(/was killed; ending what it left: .*The worker \(pid \d+\)/);
  expect(after.pid).toBe(next.pid);
  expect(await sampleRuns(after)).toHaveLength(1);
});

test.each([
  ['SIGKILL', 'worker', 'The worker', 'by SIGKILL'],
  ['SIGKILL', 'api', 'The API', 'by SIGKILL'],
  ['SIGTERM', 'worker', 'The worker', 'with exit code 0'],
  ['SIGTERM', 'api', 'The API', 'with exit code 0'],
] as const)('after a %s the %s is started again, and up.json says so', async (signal, entry, name, how) => {
  const run = npmStart();
  const up = await run.ready();
  const dataDir = join(folder, 'data');
  const { pid } = up[entry]!;
  process.kill(pid, signal);
  const words = `${name} ended ${how}: starting it again.`;
  while (readUpFile(dataDir)?.[entry]?.pid === pid || !run.output().includes(words)) await sleep(20);
  const { [entry]: now, ...others } = readUpFile(dataDir)!;
  expect(others).toEqual({ ...up, [entry]: undefined });
  expect(now).toEqual({ ...up[entry], pid: expect.any(Number) as number });
  expect(alive(childrenOf({ ...up, [entry]: now }))).toHaveLength(4);
  run.signal('SIGTERM');
  expect(await run.ended).toBe(0);
  expect(alive(childrenOf(up))).toEqual([]);
});

test('neither the database nor the sample is lost by a kill -9 while the database is made', async () => {
  const killed = npmStart();
  while (!existsSync(inData('temporal.db'))) await sleep(1);
  killed.signal('SIGKILL');
  const [temporal] = JSON.parse(readFileSync(inData('children.json'), 'utf8')) as [{ pid: number }];
  process.kill(temporal.pid, 'SIGKILL');
  await killed.ended;
  expect(await sampleRuns(await npmStart().ready())).toHaveLength(1);
});

test('a second one on the same folder, and one for another upstream, are refused', async () => {
  const first = npmStart();
  const up = await first.ready();
  const second = npmStart();
  expect(await second.ended).toBe(2);
  expect(second.output()).toMatch(`in use by another npm start (pid ${first.pid})`);
  expect(alive(childrenOf(up))).toHaveLength(4);
  first.signal('SIGINT');
  expect(await first.ended).toBe(0);

  const other = npmStart({ LEADCONDUIT_API_KEY: 'k', LEADCONDUIT_BASE_URL: 'https://leads.example' });
  expect(await other.ended).toBe(2);
  expect(other.output()).toMatch(/of the emulator, .*for https:\/\/leads\.example.*ONBOARDS_DATA_DIR/s);
});

test('a worker takes over only the onboards of its own upstream', async () => {
  const up = await npmStart().ready();
  const key = { LEADCONDUIT_API_KEY: 'k', LEADCONDUIT_BASE_URL: 'https://leads.example' };
  const given = { TEMPORAL_ADDRESS: up.temporal.address };
  const wrong = [run('worker', key), run('worker', { ...key, ...given })];
  for (const worker of wrong) {
    expect(await worker.ended).toBe(2);
    expect(worker.output()).toMatch(
      /of the emulator, and this worker is for https:\/\/leads\.example\. Set ONBOARDS_DATA_DIR/,
    );
  }
  const elsewhere = run('worker', { ...key, ONBOARDS_DATA_DIR: join(folder, 'other') });
  expect(await elsewhere.ended).toBe(2);
  expect(elsewhere.output()).toMatch(/No npm start runs on .*other, .*Set TEMPORAL_ADDRESS/);
  const nowhere = run('worker', { TEMPORAL_NAMESPACE: 'nowhere' });
  expect(await nowhere.ended).toBe(2);
  expect(nowhere.output()).toMatch(/^Temporal has no namespace nowhere: set TEMPORAL_NAMESPACE /);

  const right = run('worker');
  while (!right.output().includes('Worker ready')) await sleep(20);
  expect(right.output()).toContain(`Temporal ${up.temporal.address}, LeadConduit ${up.emulator!.url}\n`);
});

test('the command line takes the settings that npm start was given, but for its own', async () => {
  const settings = { ONBOARDS_TASK_QUEUE: 'mine', ONBOARDS_SETTLE: '20s', LEADCONDUIT_TIMEOUT: '5s' };
  const up = await npmStart({ ...settings, ONBOARDS_API_KEY: 'key-of-our-api' }).ready();
  for (const pid of [up.temporal.pid!, up.emulator!.pid]) expect(environmentOf(pid)).not.toContain('key-of-our-api');
  const id = '64b8f0f5e4b0c3a1d5e6f7b1';
  const start = run('starter', { ONBOARDS_CONFIRM: '1h' }, 'start', id);
  expect(await start.ended).toBe(0);
  expect(start.output()).toMatch(/^Created\./);
  const connection = await Connection.connect({ address: up.temporal.address });
  const { events } = await new Client({ connection }).workflow.getHandle(`onboard-${id}`).fetchHistory();
  await connection.close();
  const { input } = events![0]!.workflowExecutionStartedEventAttributes!;
  expect(JSON.parse(Buffer.from(input!.payloads![0]!.data!).toString())).toMatchObject({
    policy: { settle_ms: 20_000, confirm_ms: 3_600_000, attempt_ms: 30_000 },
  });
});

test('with a key it starts no emulator and sends nothing', async () => {
  const calls: string[] = [];
  const leadconduit = createHttpServer((req, res) => {
    calls.push(`${req.method ?? ''} ${req.url ?? ''}`);
    res.setHeader('content-type', 'application/json').end('[]');
  });
  const url = `http://127.0.0.1:${await listening(leadconduit)}`;
  const settings = { LEADCONDUIT_BASE_URL: url, ONBOARDS_SETTLE: '10s' };
  const start = npmStart({ LEADCONDUIT_API_KEY: 'secret-of-ours', ...settings });
  const up = await start.ready();
  expect(start.output().match(/Warning: ONBOARDS_SETTLE is below/g)).toHaveLength(1);
  expect(environmentOf(up.temporal.pid!)).not.toContain('secret-of-ours');
  expect(up.upstream).toBe(url);
  expect(up.emulator).toBeUndefined();
  start.signal('SIGTERM');
  expect(await start.ended).toBe(0);
  leadconduit.close();
  expect(calls).toEqual([]);
  const logs = readdirSync(inData('logs')).map((name) => readFileSync(join(inData('logs'), name), 'utf8'));
  expect([start.output(), ...logs].join()).not.toContain('secret-of-ours');
});

test('beyond loopback, a key of your own is asked for before anything is started', async () => {
  const start = npmStart({ HOST: '0.0.0.0' });
  expect(await start.ended).toBe(2);
  expect(start.output()).toMatch(/needs a key of your own: set ONBOARDS_API_KEY/);
  expect(existsSync(inData('children.json'))).toBe(false);
});

test.each([
  ['TEMPORAL_PORT', 'Temporal'],
  ['TEMPORAL_UI_PORT', "Temporal's web page"],
  ['EMULATOR_PORT', 'the emulator'],
  ['PORT', 'the API'],
])('a port in use is named with %s, and nothing is started', async (setting, who) => {
  const other = createServer();
  const port = await listening(other);
  const start = npmStart({ [setting]: String(port) });
  expect(await start.ended).toBe(2);
  expect(existsSync(inData('upstream.json'))).toBe(false);
  expect(start.output()).toMatch(new RegExp(`Port ${port} .*${who}.* is in use: set ${setting}`));
  expect(existsSync(inData('children.json'))).toBe(false);
  other.close();
});

test('one port for two of them is named with both settings, and nothing is started', async () => {
  const start = npmStart({ PORT: '3001', EMULATOR_PORT: '3001' });
  expect(await start.ended).toBe(2);
  expect(start.output()).toMatch(/^PORT and EMULATOR_PORT are both 3001: set one of them to another port/m);
  expect(existsSync(inData('children.json'))).toBe(false);
});

test.each([
  ['there is none', '/nowhere/temporal', 2],
  ['it does not start', '/bin/false', 1],
])('without Temporal the folder stays free for another upstream: %s', async (_, TEMPORAL_CLI_PATH, code) => {
  const start = npmStart({ TEMPORAL_CLI_PATH });
  expect(await start.ended).toBe(code);
  for (const name of ['upstream.json', 'sample-due']) expect(existsSync(inData(name))).toBe(false);
});

test('a data folder may have any name: everything is in it, and is found again', async () => {
  const name = `C# 100%41 a?mode=memory&b !x 'q' "d" ü [z]*{a,b}\\\n$HOME`;
  const dataDir = join(folder, name, 'data');
  for (let round = 0; round < 2; round += 1) {
    const start = npmStart({ ONBOARDS_DATA_DIR: dataDir });
    const up = await start.ready(dataDir);
    expect(await sampleRuns(up)).toHaveLength(1);
    expect(start.output()).toContain(`ONBOARDS_DATA_DIR='${dataDir.replaceAll("'", String.raw`'\''`)}' npm run`);
    start.signal('SIGTERM');
    expect(await start.ended).toBe(0);
    expect(readdirSync(dataDir)).toContain('temporal.db');
    expect([readdirSync(folder), readdirSync(join(folder, name))]).toEqual([[name], ['data']]);
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  }
});
