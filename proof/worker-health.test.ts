/** The health check of the worker's container, as Docker runs it, against real workers. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PULSE_FILE } from '../src/pulse';
import { kill9, spawnWorker } from '../test/support/worker-process';
import { World } from '../test/support/world';

let folder: string;
let world: World;
let workers: ChildProcess[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'onboards-health-'));
  world = await World.start({ settings: { LEADCONDUIT_TIMEOUT: '20s' } });
  await world.stopWorker();
  workers = [];
});
afterEach(async () => {
  await Promise.all(workers.map(kill9));
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

async function worker(): Promise<ChildProcess> {
  const child = await spawnWorker(world, { ONBOARDS_DATA_DIR: folder });
  workers.push(child);
  return child;
}
async function check() {
  const since = performance.now();
  const child = spawn(process.execPath, [join(__dirname, '..', 'deploy', 'worker-health.mjs')], {
    cwd: process.env.TEST_FOLDER,
    env: { PATH: process.env.PATH, ONBOARDS_DATA_DIR: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, said, ms: performance.now() - since };
}
const healthy = async () => {
  while ((await check()).code !== 0);
};

test('one that works is healthy; one that is stopped is killed within 10 s, and its successor is healthy', async () => {
  expect(await check()).toMatchObject({ code: 1, said: expect.stringMatching(/^No worker of /) as string });
  const first = await worker();
  await healthy();
  first.kill('SIGSTOP');
  const exit = once(first, 'exit');
  const found = await check();
  expect(found).toMatchObject({ code: 1, said: expect.stringContaining(`was killed (pid ${first.pid})`) as string });
  expect(found.ms).toBeLessThan(10_000);
  expect(await exit).toEqual([null, 'SIGKILL']);
  expect((await check()).said).toMatch(/^No worker of /);
  await worker();
  await healthy();
});

test('one that hangs while it starts, with a Temporal that does not answer, is killed', async () => {
  const silent = createServer();
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  const { port } = silent.address() as AddressInfo;
  const ended = expect(
    spawnWorker(world, { ONBOARDS_DATA_DIR: folder, TEMPORAL_ADDRESS: `127.0.0.1:${port}` }),
  ).rejects.toThrow('ended before it was ready: SIGKILL');
  const found = () => readdirSync(folder).flatMap((name) => PULSE_FILE.exec(name) ?? []);
  while (found().length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  process.kill(Number(found()[1]), 'SIGSTOP');
  expect(await check()).toMatchObject({ code: 1, said: expect.stringContaining('was killed (pid') as string });
  await ended;
  silent.close();
});

test('one that drains is healthy until it has ended', async () => {
  await world.faults({ on: 'POST', when: 'before', do: 'slow', ms: 9_000 });
  const draining = await worker();
  await world.start();
  await healthy();
  while ((await world.ledger()).calls.POST < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  const exit = once(draining, 'exit');
  draining.kill('SIGTERM');
  expect(await check()).toMatchObject({ code: 0, said: '' });
  expect(await exit).toEqual([0, null]);
});
