/** Which upstream a namespace and a task queue of a Temporal server belong to: kept there, and compared by all before they act. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type WorkflowHandle } from '@temporalio/client';
import { msNumberToTs } from '@temporalio/common/lib/time';
import { OnboardsClient } from '../../src/client';
import { hashOf, Keys } from '../../src/http/keys';
import { startServer } from '../../src/http/server';
import { recordIdOf } from '../../src/temporal/identity';
import { isSameUpstream } from '../../src/upstream';
import { ATTRIBUTE_KEYS } from '../../src/workflows/search-attributes';
import { eventually } from '../support/api';
import {
  ACCOUNT,
  anAccountsServer,
  claimFor,
  client,
  expectRefused,
  folder,
  KEY,
  NAMED,
  onboardsHere,
  queue,
  record,
  start,
} from '../support/identity';
import { newId } from '../support/new-id';
import { atUsualAddress } from '../support/programs';
import { workflowIdOf } from '../../src/onboard/ids';

jest.setTimeout(120_000);

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
      `the data folder ${join(folder, 'data')} belongs to`,
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
    expect(await run.staticSummary()).toMatch(/^Not an onboard: .* Leave it/);
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
    theirs = client.workflow.getHandle(workflowIdOf(invitation));
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
      typedSearchAttributes: [{ key: ATTRIBUTE_KEYS.OnboardId, value: onboard }],
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
