/** `npm start` and the other programs, in a folder of its own for each test; what a test starts is ended after it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { bornAt } from '../../src/processes';
import type { UpFile } from '../../src/temporal/up-file';

const RUN = join(__dirname, '..', '..', 'run.mjs');
const SAMPLE_WORKFLOW = 'onboard-64b8f0f5e4b0c3a1d5e6f7a8';

export let folder: string;
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
export const npmStart = (settings: Record<string, string> = {}) =>
  run('up', { TEMPORAL_PORT: '0', TEMPORAL_UI_PORT: '0', EMULATOR_PORT: '0', PORT: '0', ...settings });

/** Another program of ours, in the same folder. */
export function run(program: string, settings: Record<string, string> = {}, ...args: string[]) {
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

export const inData = (name: string) => join(folder, 'data', name);
const upFile = (dataDir = inData('')) => JSON.parse(readFileSync(join(dataDir, 'up.json'), 'utf8')) as UpFile;
export const childrenOf = (up: UpFile) => [up.api!.pid, up.worker.pid, up.emulator!.pid, up.temporal.pid!];
export const alive = (pids: number[]) => pids.filter((pid) => bornAt(pid) !== undefined);

/** The environment of a process; empty if there is no `/proc`. */
export const environmentOf = (pid: number) =>
  existsSync(`/proc/${pid}/environ`) ? readFileSync(`/proc/${pid}/environ`, 'utf8') : '';

export async function sampleRuns({ temporal }: UpFile): Promise<string[]> {
  const connection = await Connection.connect({ address: temporal.address });
  const runs: string[] = [];
  const { workflow } = new Client({ connection });
  const { status } = await workflow.getHandle(SAMPLE_WORKFLOW).describe();
  for await (const run of workflow.list({ query: `WorkflowId = '${SAMPLE_WORKFLOW}'` })) runs.push(run.runId);
  await connection.close();
  expect(status.name).toBe('RUNNING');
  return runs;
}

export async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
