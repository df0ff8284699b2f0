/** A task queue, a folder and programs of its own for each test that asks whose a Temporal server is. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { loadConfig } from '../../src/config';
import { Identity, recordIdOf } from '../../src/temporal/identity';
import { expectedByWorker } from '../../src/temporal/expected-upstream';
import { newId } from './new-id';
import { run, type Program } from './programs';

export const ADDRESS = process.env.TEST_TEMPORAL_ADDRESS ?? '';
export const ACCOUNT = 'https://leads.example';
export const KEY = { LEADCONDUIT_API_KEY: 'key-of-the-account', LEADCONDUIT_BASE_URL: ACCOUNT };
export const NAMED = { TEMPORAL_ADDRESS: ADDRESS };
export const THERE = { connectionOptions: { address: ADDRESS }, isConfigured: true, namespace: 'default' };

export let folder: string;
export let queue: { ONBOARDS_TASK_QUEUE: string };
let running: Program[];
export let client: Client;
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

export const start = (program: string, env: Record<string, string>, ...args: string[]) => {
  const started = run(folder, program, { ...queue, ...env }, ...args);
  running.push(started);
  return started;
};
/** As a worker does before it polls. */
export const claimFor = (env: Record<string, string>, taskQueue = queue.ONBOARDS_TASK_QUEUE) =>
  new Identity(client, taskQueue).claim(expectedByWorker(loadConfig(env), THERE));
/** A worker of the account has been here. */
export const anAccountsServer = () => claimFor(KEY);
export const record = (at = client) => at.workflow.getHandle(recordIdOf(queue.ONBOARDS_TASK_QUEUE));
export const onboardsHere = async () =>
  (await client.workflow.count(`TaskQueue = '${queue.ONBOARDS_TASK_QUEUE}'`)).count;

export async function expectRefused(program: Program, ...words: (string | RegExp)[]): Promise<void> {
  expect({ code: await program.ended, output: program.output() }).toMatchObject({ code: 2 });
  for (const one of words) expect(program.output()).toMatch(one);
}
