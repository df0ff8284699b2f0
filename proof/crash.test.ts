/** A worker that is killed, frozen or drained in the middle of a call: one onboard all the same. Real processes. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { kill9, spawnWorker } from '../test/support/worker-process';
import { newId, World } from '../test/support/world';

// The reserve before the end of an attempt is 10 s in a real worker, and a call takes 3 s at most: this leaves a process
// that has just started enough for its first look.
const ATTEMPT_MS = 17_000;

let world: World;
const workers: ChildProcess[] = [];
const spawned = async () => {
  const worker = await spawnWorker(world);
  workers.push(worker);
  return worker;
};
beforeEach(async () => {
  world = await World.start({ settings: { LEADCONDUIT_TIMEOUT: '3s' }, policy: { attempt_ms: ATTEMPT_MS } });
  // Absence proves something only once something created here has been seen; a new worker finds it in Temporal's list.
  await world.onboards.start({ invitation_id: newId() });
  await eventually('listed', async () => (await world.onboards.lists.known(1)).length === 1);
  await world.stopWorker();
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map(kill9));
  await world.close();
});
const callsOf = async (method: 'GET' | 'POST') => (await world.ledger()).calls[method];
const eventually = async (what: string, is: () => Promise<boolean>) => {
  for (const deadline = Date.now() + 40_000; !(await is()); await new Promise((resolve) => setTimeout(resolve, 20)))
    if (Date.now() > deadline) throw new Error(`never ${what}`);
};

test('killed while LeadConduit holds the answer to the POST: adopted, one POST', async () => {
  await world.faults({ on: 'POST', when: 'after', do: 'hang' });
  const first = await spawned();
  await world.start();
  await eventually('created upstream', async () => (await world.effects()).creates === 1);
  await kill9(first);
  await spawned();
  const state = await world.until('created', ({ status }) => status === 'created', 40_000);
  expect(state.ledger).toMatchObject([{ effect: 'create', outcome: 'adopted', onboard_id: state.record?.id }]);
  expect(state.timeline.map(({ event }) => event)).toEqual(['started', 'unknown', 'adopted']);
  expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
}, 90_000);

test('frozen while LeadConduit holds the answer to the POST, and then awake again: adopted, one POST', async () => {
  await world.faults({ on: 'POST', when: 'after', do: 'hang' });
  const zombie = await spawned();
  await world.start();
  await eventually('created upstream', async () => (await world.effects()).creates === 1);
  zombie.kill('SIGSTOP');
  await spawned();
  const state = await world.until('created', ({ status }) => status === 'created', 40_000);
  expect(state.ledger).toMatchObject([{ effect: 'create', outcome: 'adopted', onboard_id: state.record?.id }]);
  zombie.kill('SIGCONT');
  // It answers for itself again once it takes work.
  await kill9(workers[1]!);
  await world.send({ name: 'advance', to: 'in_progress' });
  const { ledger } = await world.until('moved', ({ status }) => status === 'in_progress', 40_000);
  expect(ledger.map(({ outcome }) => outcome)).toEqual(['adopted', 'done']);
  expect(await world.effects()).toMatchObject({ posts: 1, creates: 1, puts: 1 });
}, 90_000);

test('frozen beyond every deadline and then awake again: it does not act any more', async () => {
  const looks = await callsOf('GET');
  await world.faults({ on: 'GET', when: 'after', do: 'slow', ms: 2_500 });
  const zombie = await spawned();
  await world.start();
  // A worker looks when it starts, too: it must have taken the attempt.
  const handle = world.run;
  const isTaken = async () => (await handle.describe()).raw.pendingActivities?.[0]?.lastStartedTime != null;
  await eventually('looking', async () => (await isTaken()) && (await callsOf('GET')) > looks);
  zombie.kill('SIGSTOP');
  await spawned();
  const state = await world.until('created', ({ status }) => status === 'created', 60_000);
  expect(state.ledger.map(({ outcome }) => outcome)).toEqual(['unknown', 'done']);
  const { GET } = (await world.ledger()).calls;
  zombie.kill('SIGCONT');
  // It answers for itself again once it takes work; its old attempt has been decided by then.
  await kill9(workers[1]!);
  await world.onboards.start({ invitation_id: newId() });
  await eventually('at work', async () => (await callsOf('GET')) > GET);
  await world.until('still one', ({ phase }) => phase === 'waiting');
  expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
}, 90_000);

test('killed while it looks: another looks in seconds, however long an attempt may take', async () => {
  await world.close();
  world = await World.start({ policy: { attempt_ms: 10 * 60_000 } });
  await world.create();
  await world.stopWorker();
  const first = await spawned();
  await world.faults({ on: 'GET', when: 'before', do: 'hang' });
  await world.send({ name: 'look' });
  const handle = world.run;
  await eventually(
    'looking',
    async () => (await handle.describe()).raw.pendingActivities?.[0]?.lastStartedTime != null,
  );
  await kill9(first);
  await world.mend();
  await spawned();
  await world.until('looked at', ({ timeline }) => timeline.at(-1)?.event === 'checked', 60_000);
}, 120_000);

test('drained while the POST is out: the call ends, its outcome is recorded, the worker ends well', async () => {
  await world.faults({ on: 'POST', when: 'before', do: 'slow', ms: 2_000 });
  const first = await spawned();
  await world.start();
  await eventually('sent', async () => (await world.effects()).posts === 1);
  const exit = once(first, 'exit');
  first.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
  await spawned();
  const state = await world.until('created', ({ status }) => status === 'created');
  expect(state.ledger.map(({ outcome }) => outcome)).toEqual(['done']);
  expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
});

test('a worker that ends as it starts is not taken for one that is ready', async () => {
  await expect(spawnWorker(world, { ONBOARDS_SETTLE: 'soon' })).rejects.toThrow(
    /^the worker ended before it was ready: code \d+$/,
  );
});
