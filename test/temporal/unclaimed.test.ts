/** A Temporal server or a data folder that does not say whose it is: who may take it, and who is refused. */
import { execSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { OnboardsClient } from '../../src/client';
import { loadConfig } from '../../src/config';
import { expectedByClient } from '../../src/temporal/expected-upstream';
import { startTemporal } from '../../src/temporal/dev-server';
import type { UpFile } from '../../src/temporal/up-file';
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
  onboardsHere,
  queue,
  record,
  start,
  THERE,
} from '../support/identity';
import { newId } from '../support/new-id';
import { atUsualAddress } from '../support/programs';
import { workflowIdOf } from '../../src/onboard/ids';

jest.setTimeout(120_000);

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
    ...{ workflowId: workflowIdOf(newId()), taskQueue: queue.ONBOARDS_TASK_QUEUE, args: [] },
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
    const options = { workflowId: workflowIdOf(newId()), taskQueue: queue.ONBOARDS_TASK_QUEUE };
    const typedSearchAttributes = [{ key: ATTRIBUTE_KEYS.OnboardPhase, value: phase }];
    await client.workflow.start('onboardBuyer', { ...options, typedSearchAttributes });
    await eventually(async () => (await onboardsHere()) === 1);
  };
  const command = (error: unknown) => /`temporal (.*)`/.exec(String(error))?.[1] ?? '';
  const follow = (words: string) => execSync(`${process.env.TEST_TEMPORAL_CLI} ${words}`, { stdio: 'pipe' });

  test('gets it with the first onboard that is started with a key, and no worker for another may take that', async () => {
    const config = loadConfig(KEY);
    const settings = { taskQueue: queue.ONBOARDS_TASK_QUEUE, policy: {} };
    const invitation_id = newId();
    await new OnboardsClient(client, settings, expectedByClient(config, THERE)).start({ invitation_id });
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
