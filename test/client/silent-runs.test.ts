/** A run that does not answer: what is known of it all the same, and what is said. */
import { readFileSync } from 'node:fs';
import { Worker } from '@temporalio/worker';
import { showText } from '../../src/cli/describe';
import { workerOptions } from '../../src/temporal/worker-options';
import { newId, World } from '../support/world';

let world: World;
beforeEach(async () => (world = await World.start()));
afterEach(() => world.close());
const text = async () => (await world.state()).waiting_for.text;

test('with no worker: a start for another flow is a conflict; one that was terminated can be started again', async () => {
  await world.stopWorker();
  const flow_id = newId();
  await world.start({ flow_id });
  const asking = (flow: string) => world.onboards.whenCreated({ invitation_id: world.invitation, flow_id: flow }, 0);
  const [other, same] = await Promise.allSettled([asking(newId()), asking(flow_id)]);
  expect(other).toMatchObject({ status: 'rejected', reason: { code: 'refused' } });
  expect(same).toMatchObject({ status: 'fulfilled', value: { stale: true, phase: 'creating' } });

  await world.run.terminate();
  const ended = await world.state();
  expect(ended).toMatchObject({ phase: 'cancelled', waiting_for: { who: 'nobody' } });
  const shown = showText(ended, { colours: false, now: Date.now() });
  expect(shown).toMatch(
    /^Next +its run is terminated in Temporal: nobody follows it any more\. Start it again to go on/m,
  );
  expect(shown).not.toContain('a worker');
});

test('with a worker on which its task fails, it says that, and with which words', async () => {
  await world.stopWorker();
  const begin = 'function begin(input, now) {';
  const code = readFileSync(process.env.TEST_WORKFLOW_BUNDLE ?? '', 'utf8');
  expect(code).toContain(begin);
  const broken = await Worker.create({
    ...workerOptions(world.config),
    namespace: 'default',
    connection: world.connection,
    shutdownGraceTime: 0,
    workflowBundle: { code: code.replace(begin, `${begin} throw new Error('a bug of ours');`) },
  });
  await broken.runUntil(async () => {
    await world.start();
    expect(await text()).toMatch(
      /^a worker that can continue it: its workflow task fails again and again \(a bug of ours\)/,
    );
  });
});
