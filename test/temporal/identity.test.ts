/** Which upstream a namespace and a task queue of a Temporal server belong to: kept there, and compared by all before they act. */
import { execSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { msNumberToTs } from '@temporalio/common/lib/time';
import { OnboardsClient } from '../../src/client';
import { loadConfig } from '../../src/config';
import { hashOf, Keys } from '../../src/http/keys';
import { startServer } from '../../src/http/server';
import { Identity, ownOfClient, ownOfWorker, recordIdOf } from '../../src/temporal/identity';
import { startTemporal } from '../../src/temporal/dev-server';
import type { UpFile } from '../../src/temporal/up-file';
import { isSameUpstream } from '../../src/upstream';
import { KEYS } from '../../src/workflows/search-attributes';
import { eventually } from '../support/api';
import { atUsualAddress, run, type Program } from '../support/programs';
import { newId } from '../support/world';

jest.setTimeout(120_000);

const ADDRESS = process.env.TEST_TEMPORAL_ADDRESS ?? '';
const ACCOUNT = 'https://leads.example';
const KEY = { LEADCONDUIT_API_KEY: 'key-of-the-account', LEADCONDUIT_BASE_URL: ACCOUNT };
const NAMED = { TEMPORAL_ADDRESS: ADDRESS };
const THERE = { connectionOptions: { address: ADDRESS }, isConfigured: true, namespace: 'default' };

let folder: string;
let queue: { ONBOARDS_TASK_QUEUE: string };
let running: Program[];
let client: Client;
beforeAll(async () => {
  client = new Client({ connection: await Connection.connect({ address: ADDRESS }) });
});
afterAll(() => client.connection.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'onboards-identity-'));
  queue = { ONBOARDS_TASK_QUEUE: `identity-${newId()}` };
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((program) => program.stop()));
  rmSync(folder, { recursive: true, force: true });
});

const start = (program: string, env: Record<string, string>, ...args: string[]) => {
  const started = run(folder, program, { ...queue, ...env }, ...args);
  running.push(started);
  return started;
};
/** As a worker does before it polls. */
const claimFor = (env: Record<string, string>, taskQueue = queue.ONBOARDS_TASK_QUEUE) =>
  new Identity(client, taskQueue).claim(ownOfWorker(loadConfig(env), THERE));
/** A worker of the account has been here. */
const anAccountsServer = () => claimFor(KEY);
const record = (at = client) => at.workflow.getHandle(recordIdOf(queue.ONBOARDS_TASK_QUEUE));
const onboardsHere = async () => (await client.workflow.count(`TaskQueue = '${queue.ONBOARDS_TASK_QUEUE}'`)).count;

async function expectRefused(program: Program, ...words: (string | RegExp)[]): Promise<void> {
  expect({ code: await program.ended, output: program.output() }).toMatchObject({ code: 2 });
  for (const one of words) expect(program.output()).toMatch(one);
}

describe('the server of an account', () => {
  beforeEach(anAccountsServer);

  test.each([
    ['found at the usual address', () => atUsualAddress(folder)],
    ['that is named', () => NAMED],
  ])('refuses a worker without a key in a fresh folder: %s', async (_, settings) => {
    const worker = start('worker', settings());
    await expectRefused(
      worker,
      `holds the onboards of ${ACCOUNT}`,
      'is for the emulator: no LEADCONDUIT_API_KEY is set',
    );
    expect(worker.output()).toMatch(`set LEADCONDUIT_API_KEY and LEADCONDUIT_BASE_URL of ${ACCOUNT}`);
    expect(worker.output()).not.toMatch('Worker ready');
  });

  test('refuses a worker of another account, and npm start', async () => {
    const other = { ...KEY, LEADCONDUIT_BASE_URL: 'https://other.example' };
    await expectRefused(
      start('worker', { ...other, ...NAMED }),
      ACCOUNT,
      'for https://other.example: LEADCONDUIT_API_KEY is set',
    );
    const npmStart = start('up', { ...NAMED, PORT: '0', EMULATOR_PORT: '0' });
    await expectRefused(npmStart, `holds the onboards of ${ACCOUNT}`, 'is for the emulator');
    // The folder is nobody's still.
    const data = start('up', { ...KEY, ...NAMED, PORT: '0', ONBOARDS_API_KEY: 'key-of-our-api' });
    await data.saying('Ready after');
  });

  test.each([
    ['list'],
    ['show', '64b8f0f5e4b0c3a1d5e6f7a8'],
    ['start', '64b8f0f5e4b0c3a1d5e6f7a8'],
    ['watch', '64b8f0f5e4b0c3a1d5e6f7a8'],
  ])('refuses a command that finds it only at the usual address: %s', async (...command) => {
    const cli = start('starter', atUsualAddress(folder), ...command);
    await expectRefused(
      cli,
      `holds the onboards of ${ACCOUNT}`,
      `is for the emulator: no LEADCONDUIT_API_KEY is set, and no npm`,
    );
    expect(cli.output()).toMatch(join(folder, '.data'));
    expect(cli.output()).toMatch(/Set ONBOARDS_DATA_DIR .*, or TEMPORAL_ADDRESS=127\.0\.0\.1:7233 if/);
    expect(cli.output().trim()).not.toMatch('\n');
    expect(await onboardsHere()).toBe(0);
  });

  test('refuses commands and an API with the key or in the folder of another, and takes those of its own', async () => {
    const another = { ...KEY, LEADCONDUIT_BASE_URL: 'https://other.example' };
    await expectRefused(
      start('starter', { ...another, ...NAMED }, 'list'),
      'for https://other.example: LEADCONDUIT_API_KEY',
    );
    await expectRefused(start('http/server', { ...atUsualAddress(folder), PORT: '0' }), 'is for the emulator: no');

    const owned = (upstream: string) => {
      mkdirSync(join(folder, 'data'), { recursive: true });
      writeFileSync(join(folder, 'data', 'upstream.json'), JSON.stringify({ upstream }));
      return { ...atUsualAddress(folder), ONBOARDS_DATA_DIR: 'data' };
    };
    await expectRefused(
      start('starter', owned('https://other.example'), 'list'),
      `the data folder ${join(folder, 'data')} is of`,
    );
    const fitting = [
      () => owned(ACCOUNT),
      () => NAMED,
      () => ({ ...KEY, ...atUsualAddress(folder) }),
      () => ({ ...owned('emulator'), ...NAMED }),
    ];
    for (const settings of fitting) {
      const list = start('starter', settings(), 'list');
      const code = await list.ended;
      expect(list.output()).toMatch(/^No onboards/);
      expect(code).toBe(0);
    }
    const api = start('http/server', { ...NAMED, PORT: '0' });
    await api.saying(`LeadConduit: ${ACCOUNT}`);
  });

  test('another task queue of it, and another namespace, are free', async () => {
    const here = recordIdOf(queue.ONBOARDS_TASK_QUEUE);
    const namespace = `identity-${newId()}`;
    const workflowExecutionRetentionPeriod = msNumberToTs(24 * 3_600_000);
    await client.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod });
    await eventually(async () => {
      const worker = start('worker', { ...NAMED, TEMPORAL_NAMESPACE: namespace });
      return Promise.race([worker.saying('Worker ready').then(() => true), worker.ended.then(() => false)]).catch(
        () => false,
      );
    });
    const there = new Client({ connection: client.connection, namespace });
    expect((await record(there).describe()).memo).toEqual({ upstream: 'emulator' });
    await start('worker', { ...NAMED, ONBOARDS_TASK_QUEUE: `${queue.ONBOARDS_TASK_QUEUE}-2` }).saying('Worker ready');
    expect((await client.workflow.getHandle(here).describe()).memo).toEqual({ upstream: ACCOUNT });
  });

  test('still is when somebody has ended the record, and the next worker writes it again', async () => {
    await record().terminate('an operator');
    await expectRefused(start('worker', NAMED), `holds the onboards of ${ACCOUNT}`);
    expect((await record().describe()).status.name).toBe('TERMINATED');
    await start('worker', { ...KEY, ...NAMED }).saying('Worker ready');
    const { status, memo } = await record().describe();
    expect({ status: status.name, memo }).toEqual({ status: 'RUNNING', memo: { upstream: ACCOUNT } });
  });

  test('the record explains itself, and never waits for a worker', async () => {
    const run = await record().describe();
    expect(run.type).toBe('onboardsUpstream');
    expect(run.raw.pendingWorkflowTask).toBeNull();
    expect(run.executionTime!.getFullYear()).toBeGreaterThan(new Date().getFullYear() + 90);
    expect(await run.staticSummary()).toMatch(/^No onboard: .* Leave it/);
    expect(await run.staticDetails()).toMatch(`LeadConduit: ${ACCOUNT}`);
    expect((await record().fetchHistory()).events).toHaveLength(1);
  });
});

test('of two workers that come at once for different upstreams exactly one is let in', async () => {
  const workers = [KEY, {}].map((env) => start('worker', { ...env, ...NAMED }));
  const outcomes = workers.map((worker) =>
    Promise.race([worker.saying('Worker ready').then(() => 'ready'), worker.ended]).catch(() => 2),
  );
  expect((await Promise.all(outcomes)).sort()).toEqual([2, 'ready']);
  const [refused] = workers.filter(({ child }) => child.exitCode !== null);
  await expectRefused(refused!, 'holds the onboards of');
});

test('of many that claim a server at once exactly one wins, and the others are told whose it is', async () => {
  const claims = Array.from({ length: 10 }, (_, n) =>
    claimFor({ ...KEY, LEADCONDUIT_BASE_URL: `https://account-${n}.example` }),
  );
  const settled = await Promise.allSettled(claims);
  const winner = settled.findIndex(({ status }) => status === 'fulfilled');
  const refused = settled.flatMap((claim) => (claim.status === 'rejected' ? [String(claim.reason)] : []));
  expect(refused).toHaveLength(9);
  for (const words of refused) expect(words).toMatch(`holds the onboards of https://account-${winner}.example`);
});

describe('an onboard of another task queue, whose workflow id holds for the whole namespace', () => {
  let invitation: string;
  let theirs: WorkflowHandle;
  let ours: OnboardsClient;
  let refusal: RegExp;
  beforeEach(async () => {
    invitation = newId();
    const [taskQueue, other] = [queue.ONBOARDS_TASK_QUEUE, `${queue.ONBOARDS_TASK_QUEUE}-other`];
    await Promise.all([claimFor(KEY), claimFor({}, other)]);
    ours = new OnboardsClient(client, { taskQueue, policy: {} });
    await new OnboardsClient(client, { taskQueue: other, policy: {} }).start({ invitation_id: invitation });
    theirs = client.workflow.getHandle(`onboard-${invitation}`);
    refusal = new RegExp(
      `is on task queue ${other} \\(LeadConduit: the emulator\\), and this program is for task queue ${taskQueue} ` +
        `\\(LeadConduit: ${ACCOUNT}\\)\\. .*set ONBOARDS_TASK_QUEUE=${other} and no LEADCONDUIT_API_KEY\\. .*TEMPORAL_NAMESPACE`,
    );
  });
  afterEach(() => theirs.terminate().catch(() => undefined));

  test('is refused wherever an id is taken, naming both queues and upstreams, and nothing reaches it', async () => {
    const request = { invitation_id: invitation };
    const asked: (() => Promise<unknown>)[] = [
      () => ours.start(request),
      () => ours.onboard(request, 0),
      () => ours.onboard(request, 10_000),
      () => ours.get(invitation).state(),
      () => ours.get(invitation).send({ name: 'advance', to: 'completed' }),
      () => ours.get(invitation).send({ name: 'look' }),
      () => ours.get(invitation).send({ name: 'note', text: 'a note' }),
      () => ours.get(invitation).send({ name: 'note', text: 'a note', key: 'a key' }),
    ];
    for (const ask of asked) await expect(ask()).rejects.toMatchObject({ code: 'refused', message: refusal });
    await ours.get(invitation).tellDoubled([newId(), newId()], 'a key');
    expect(await ours.lists.list()).toEqual([]);
    const { events } = await theirs.fetchHistory();
    expect(events?.map(({ eventType }) => eventType)).toEqual([1, 5]); // Started, and its first task waits.
    await theirs.terminate();
    for (const ask of asked) await expect(ask()).rejects.toMatchObject({ code: 'refused', message: refusal });
    expect((await theirs.describe()).status.name).toBe('TERMINATED');
  });

  test('is refused by its onboard id, on the command line, and by the API', async () => {
    await theirs.terminate();
    const onboard = newId();
    await client.workflow.start('onboardBuyer', {
      ...{ workflowId: theirs.workflowId, taskQueue: `${queue.ONBOARDS_TASK_QUEUE}-other` },
      typedSearchAttributes: [{ key: KEYS.OnboardId, value: onboard }],
    });
    await expect(ours.get(onboard).state()).rejects.toMatchObject({ code: 'refused', message: refusal });
    const cli = start('starter', NAMED, 'start', invitation, newId(), '--wait', '0');
    expect({ code: await cli.ended, output: cli.output() }).toEqual({
      code: 4,
      output: expect.stringMatching(refusal) as string,
    });

    const keys = new Keys([{ name: 'ann', role: 'operate', hash: hashOf('key-of-our-api') }]);
    const deps = { onboards: ours, keys, completedStatus: 'completed', neighbours: () => ({}), sessionsFolder: folder };
    const api = await startServer(deps, { host: '127.0.0.1', port: 0 });
    const ask = async (path: string, body?: object) => {
      const headers = { authorization: `Basic ${btoa('API:key-of-our-api')}`, 'content-type': 'application/json' };
      const answer = await fetch(api.url + path, {
        headers,
        ...(body && { method: 'POST', body: JSON.stringify(body) }),
      });
      return { status: answer.status, body: await answer.json() };
    };
    const refused = { status: 409, body: { error: expect.stringMatching(refusal) as string } };
    expect(await ask('/onboards', { invitation_id: invitation })).toEqual(refused);
    expect(await ask(`/onboards/${invitation}/state`)).toEqual(refused);
    expect(await ask(`/onboards/${invitation}/hold`, {})).toEqual(refused);
    expect(await ask('/onboards')).toEqual({ status: 200, body: [] });
    await api.close();
  });
});

test('a server that does not say whose it is: clients say so and go on, until it turns out to be another’s', async () => {
  const list = start('starter', atUsualAddress(folder), 'list');
  expect(await list.ended).toBe(0);
  expect(list.output()).toMatch(/^This Temporal server does not say yet whose onboards it holds/m);
  const api = start('http/server', { ...atUsualAddress(folder), PORT: '0', ONBOARDS_API_KEY: 'key-of-our-api' });
  await api.saying(/API ready on .*, LeadConduit: not known yet\n/);
  const [url = ''] = /http:\S+(?=,)/.exec(api.output()) ?? [];
  const ask = () => fetch(`${url}/onboards`, { headers: { authorization: `Basic ${btoa('API:key-of-our-api')}` } });
  expect((await ask()).status).toBe(200);
  await anAccountsServer();
  const refused = await ask();
  expect(refused.status).toBe(503);
  expect(((await refused.json()) as { error: string }).error).toMatch(`holds the onboards of ${ACCOUNT}`);
  expect(await (await fetch(`${url}/login`)).text()).toMatch('LeadConduit: not known yet');
});

test('onboards of an older version, on a server that nobody has named, are not taken by a worker without a key', async () => {
  const older = await client.workflow.start('onboardBuyer', {
    ...{ workflowId: `onboard-${newId()}`, taskQueue: queue.ONBOARDS_TASK_QUEUE, args: [] },
  });
  await eventually(async () => (await onboardsHere()) === 1);
  await expectRefused(
    start('worker', atUsualAddress(folder)),
    /does not say whose.* a worker with TEMPORAL_ADDRESS=127\.0\.0\.1:7233 and their LEADCONDUIT_API_KEY/,
  );
  await expect(record().describe()).rejects.toThrow('not found');
  await older.terminate();
});

describe('a server that is named and has no record', () => {
  const onboard = async (phase: string) => {
    const options = { workflowId: `onboard-${newId()}`, taskQueue: queue.ONBOARDS_TASK_QUEUE };
    const typedSearchAttributes = [{ key: KEYS.OnboardPhase, value: phase }];
    await client.workflow.start('onboardBuyer', { ...options, typedSearchAttributes });
    await eventually(async () => (await onboardsHere()) === 1);
  };
  const command = (error: unknown) => /`temporal (.*)`/.exec(String(error))?.[1] ?? '';
  const follow = (words: string) => execSync(`${process.env.TEST_TEMPORAL_CLI} ${words}`, { stdio: 'pipe' });

  test('gets it with the first onboard that is started with a key, and no worker for another may take that', async () => {
    const config = loadConfig(KEY);
    const settings = { taskQueue: queue.ONBOARDS_TASK_QUEUE, policy: {} };
    const invitation_id = newId();
    await new OnboardsClient(client, settings, ownOfClient(config, THERE)).start({ invitation_id });
    expect((await record().describe()).memo).toEqual({ upstream: ACCOUNT });
    await expect(claimFor({})).rejects.toThrow(`holds the onboards of ${ACCOUNT}`);
    await claimFor(KEY);
  });

  test('is refused to a worker without a key while onboards are under way, until somebody who knows writes it', async () => {
    await onboard('waiting');
    const refusal = await claimFor({}).catch(String);
    expect(refusal).toMatch(/holds onboards on task queue .* does not say whose/);
    await expect(record().describe()).rejects.toThrow('not found');
    follow(command(refusal));
    await claimFor({});
    // The record was wrong: the refusal of the right worker has the command, too.
    const wrong = await claimFor(KEY).catch(String);
    expect(wrong).toMatch(/holds the onboards of the emulator.* If it is the record that is wrong/);
    follow(command(wrong));
    await claimFor(KEY);
    const { memo, executionTime } = await record().describe();
    expect(memo).toEqual({ upstream: ACCOUNT });
    expect(executionTime!.getFullYear()).toBeGreaterThan(new Date().getFullYear() + 90);
  });

  test('is taken by a worker without a key where no worker has begun anything', async () => {
    await onboard('creating');
    await claimFor({});
    expect((await record().describe()).memo).toEqual({ upstream: 'emulator' });
  });

  test('is taken by a worker that has the key', async () => {
    await onboard('waiting');
    await claimFor(KEY);
    expect((await record().describe()).memo).toEqual({ upstream: ACCOUNT });
  });
});

describe('a data folder of an older version', () => {
  const PORTS = { TEMPORAL_PORT: '0', TEMPORAL_UI_PORT: '0', EMULATOR_PORT: '0', PORT: '0' };
  const dataOf = (name: string) => join(folder, name);

  beforeEach(async () => {
    mkdirSync(dataOf('live'));
    writeFileSync(join(dataOf('live'), 'upstream.json'), JSON.stringify({ upstream: ACCOUNT }));
    const server = await startTemporal({
      ...{ cli: process.env.TEST_TEMPORAL_CLI!, env: process.env, port: 0 },
      ...{ dbFile: join(dataOf('live'), 'temporal.db'), logFile: join(folder, 'temporal.log') },
    });
    await server.stop();
  });

  test('moves over at its next start; a database that says otherwise than its folder is refused', async () => {
    const live = start('up', { ...PORTS, ...KEY, ONBOARDS_DATA_DIR: 'live' });
    await live.saying('Ready after');
    const up = JSON.parse(readFileSync(join(dataOf('live'), 'up.json'), 'utf8')) as UpFile;
    const connection = await Connection.connect({ address: up.temporal.address });
    const { memo } = await record(new Client({ connection })).describe();
    await connection.close();
    expect(memo).toEqual({ upstream: ACCOUNT });
    const list = start('starter', { ONBOARDS_DATA_DIR: 'live' }, 'list');
    expect({ code: await list.ended, said: list.output() }).toMatchObject({ code: 0 });
    await live.stop();

    writeFileSync(join(dataOf('live'), 'upstream.json'), JSON.stringify({ upstream: 'emulator' }));
    const demo = start('up', { ...PORTS, ONBOARDS_DATA_DIR: 'live' });
    await expectRefused(demo, `holds the onboards of ${ACCOUNT}`, 'is for the emulator');
    expect(demo.output()).not.toMatch('Starting the worker');
  });
});

test.each([
  ['https://app.leadconduit.com', 'HTTPS://App.LeadConduit.com:443/', true],
  ['https://app.leadconduit.com', 'https://app.leadconduit.com./', true],
  ['https://app.leadconduit.com/a', 'https://app.leadconduit.com/a//', true],
  ['http://127.0.0.1:80', 'http://127.0.0.1', true],
  ['http://127.0.0.1:3001', 'http://127.0.0.1:3002', false],
  ['https://app.leadconduit.com/a', 'https://app.leadconduit.com/A', false],
  ['https://app.leadconduit.com', 'emulator', false],
  ['emulator', 'emulator', true],
])('%s and %s: the same upstream is %s', (one, other, isSame) => {
  expect(isSameUpstream(one, other)).toBe(isSame);
});
