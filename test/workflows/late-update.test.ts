/** An update that waits for a worker and then comes together with what an earlier task without commands had brought. */
import type { ChildProcess } from 'node:child_process';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { Worker } from '@temporalio/worker';
import { kill9, spawnWorker } from '../support/worker-process';
import { newId, payloadConverterPath, World } from '../support/world';

let world: World;
let worker: ChildProcess;
const another = async () => {
  await kill9(worker);
  worker = await spawnWorker(world);
};
/** How many looks are still to be slow. */
const looks = async () => ((await world.call('GET', '/_emulator/faults')) as unknown[]).length;
afterEach(async () => {
  await kill9(worker);
  await world.close();
});

test('an order that finds no worker: the run goes on with the next ones, and replays', async () => {
  world = await World.start({ settings: { ONBOARDS_SETTLE: '1s', ONBOARDS_CONFIRM: '3s' } });
  const seen = newId();
  await world.start({ invitation_id: seen });
  await world.onboards.whenCreated({ invitation_id: seen }, 20_000);
  while ((await world.onboards.lists.known(1)).length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  await world.stopWorker();
  worker = await spawnWorker(world);
  await world.faults({ on: 'POST', when: 'before', do: 'reset' });
  await world.create();
  // The last tasks before the order had nothing to do: a note came while a look was out, then what that one showed.
  await world.faults({ on: 'GET', when: 'before', do: 'slow', ms: 700 });
  while ((await looks()) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await world.signal('note', { text: 'called the buyer' });
  await world.until('checked', ({ timeline }) => timeline.at(-1)?.event === 'checked');
  await kill9(worker);
  const order = { name: 'advance', to: 'completed', key: 'the order' } as const;
  const unanswered = world.send(order).catch(() => undefined);
  worker = await spawnWorker(world);
  await unanswered;
  // A worker that takes longer to start than the order waits finds it when it is repeated.
  await world.send(order);
  await world.until('confirming', ({ phase }) => phase === 'confirming');
  await another();
  await world.until('done', ({ phase }) => phase === 'done');
  const history = await world.run.fetchHistory();
  const workflowBundle = { codePath: process.env.TEST_WORKFLOW_BUNDLE ?? '' };
  await Worker.runReplayHistory(
    { workflowBundle, dataConverter: { payloadConverterPath } },
    JSON.parse(historyToJSON(history)),
    world.workflowId,
  );
  expect(await world.effects()).toEqual({ posts: 2, creates: 1, puts: 2, completes: 1, emails: 1 });
});
