/** `npm start`: what it starts, what it keeps, what it starts again, and what it refuses before anything is started. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { readUpFile } from '../src/temporal/up-file';
import {
  alive,
  childrenOf,
  environmentOf,
  folder,
  inData,
  listening,
  npmStart,
  run,
  sampleRuns,
} from './support/npm-start';
import { workflowIdOf } from '../src/onboard/ids';

jest.setTimeout(120_000);

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
  expect(next.output()).toMatch(/was killed\. Ending the processes that it left: .*The worker \(pid \d+\)/);
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
  const { events } = await new Client({ connection }).workflow.getHandle(workflowIdOf(id)).fetchHistory();
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
