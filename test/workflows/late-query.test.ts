/** Questions that waited for a worker: they must not change what they ask about. */
import { setTimeout as sleep } from 'node:timers/promises';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { Worker } from '@temporalio/worker';
import { payloadConverterPath, World } from '../support/world';

let world: World;
afterEach(() => world.close());

test('a timer that fires while queries wait for a worker: the run goes on, and replays', async () => {
  world = await World.start({ settings: { ONBOARDS_SETTLE: '5s' } });
  await world.faults({ on: 'POST', when: 'after', do: 'reset' });
  await world.emulate({ lag_ms: 4_000 });
  await world.start();
  await world.until('waiting for the first look', ({ phase, next }) => phase === 'unknown' && next !== undefined);
  await world.stopWorker();
  const run = world.run;
  const ask = () => run.query('state').catch(() => 'in vain');
  const asked = world.temporal.withDeadline(Date.now() + 20_000, () => Promise.all(Array.from({ length: 12 }, ask)));
  const lastEvent = async () => (await run.fetchHistory()).events!.at(-1)!;
  const deadline = Date.now() + 20_000;
  while (!(await lastEvent()).workflowTaskScheduledEventAttributes) {
    if (Date.now() > deadline) throw new Error('the timer never fired');
    await sleep(50);
  }
  await world.startWorker();
  // Where a query came first, its failure costs one workflow task's time-out (10 s).
  await world.until('adopted', ({ status, phase }) => status === 'created' && phase === 'waiting', 40_000);
  await asked;
  expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  await Worker.runReplayHistory(
    { workflowBundle: { codePath: process.env.TEST_WORKFLOW_BUNDLE ?? '' }, dataConverter: { payloadConverterPath } },
    JSON.parse(historyToJSON(await run.fetchHistory())),
    run.workflowId,
  );
});
