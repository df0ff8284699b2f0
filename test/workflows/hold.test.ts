/** From the moment when a hold or a cancel is accepted, what has not been sent is not sent; what has been is followed to its outcome. */
import { Worker } from '@temporalio/worker';
import { workerOptions } from '../../src/temporal/worker-options';
import type { OnboardView } from '../../src/onboard/view';
import { World } from '../support/world';

let world: World;
afterEach(() => world.close());

const settled = (phase: string) => world.until(phase, (state) => state.phase === phase);
const last = ({ ledger }: OnboardView) => ledger.at(-1);

/** In progress, with the list of the look before the completing call still to come. */
async function givenLookingBeforeCompleting(): Promise<void> {
  world = await World.start({ settings: { LEADCONDUIT_TIMEOUT: '6s' } });
  await world.create();
  await world.send({ name: 'advance', to: 'in_progress' });
  await world.until('in_progress', ({ status, phase }) => status === 'in_progress' && phase === 'waiting');
  await world.faults({ on: 'GET', when: 'before', do: 'slow', ms: 2_500 });
  const { calls } = await world.ledger();
  await world.send({ name: 'advance', to: 'completed' });
  while ((await world.ledger()).calls.GET === calls.GET) await new Promise((resolve) => setTimeout(resolve, 20));
}

const hold = () => world.send({ name: 'hold', by: 'ann' });

test.each<[string, () => Promise<unknown>]>([
  ['a message', hold],
  ['a signal', () => world.signal('hold', { by: 'ann' })],
])(
  'a hold by %s while it looks: the completing call is called back, and goes out once it is released',
  async (_, act) => {
    await givenLookingBeforeCompleting();
    await act();
    const asked = await world.state();
    expect(asked).toMatchObject({ held: true, phase: 'updating', ledger: [{}, {}, { outcome: 'pending' }] });
    expect(asked.waiting_for.text).toMatch(/called back/);
    const held = await settled('held');
    expect(last(held)).toMatchObject({ effect: 'completed', outcome: 'not_sent' });
    expect(await world.effects()).toMatchObject({ completes: 0, emails: 0 });
    await world.send({ name: 'release' });
    await settled('done');
    expect(await world.effects()).toMatchObject({ completes: 1, emails: 1 });
  },
);

test.each<[string, () => Promise<unknown>]>([
  ['a message', () => world.send({ name: 'cancel', by: 'ann' })],
  ["Temporal's own", () => world.run.cancel()],
])('a cancel by %s while it looks: the completing call never goes out', async (_, cancel) => {
  await givenLookingBeforeCompleting();
  await cancel();
  const state = await settled('cancelled');
  expect(last(state)).toMatchObject({ effect: 'completed', outcome: 'not_sent' });
  expect(await world.effects()).toMatchObject({ completes: 0 });
});

test('a hold that is released while the call is still being called back: it goes out once', async () => {
  await givenLookingBeforeCompleting();
  await hold();
  await world.send({ name: 'release' });
  await settled('done');
  expect(await world.effects()).toMatchObject({ completes: 1 });
});

test('a hold of a create that looks: nothing is created before it is released', async () => {
  world = await World.start({ settings: { LEADCONDUIT_TIMEOUT: '6s' } });
  await world.faults({ on: 'GET', when: 'before', do: 'slow', ms: 2_500 });
  await world.start();
  await world.until('looking', ({ ledger }) => ledger.length === 1);
  await hold();
  await settled('held');
  expect(await world.effects()).toMatchObject({ posts: 0 });
  await world.send({ name: 'release' });
  await world.until('created', ({ status }) => status === 'created');
  expect(await world.effects()).toMatchObject({ creates: 1 });
});

test.each(['hold', 'cancel'] as const)('a %s while no worker has taken the call: it is not sent', async (name) => {
  world = await World.start();
  await world.create();
  await world.send({ name: 'advance', to: 'in_progress' });
  await world.until('in_progress', ({ status, phase }) => status === 'in_progress' && phase === 'waiting');
  await world.stopWorker();
  const deciding = await Worker.create({
    ...workerOptions(world.config),
    connection: world.connection,
    workflowBundle: { codePath: process.env.TEST_WORKFLOW_BUNDLE ?? '' },
  });
  await deciding.runUntil(async () => {
    await world.send({ name: 'advance', to: 'completed' });
    await world.send({ name });
    const state = await settled(name === 'hold' ? 'held' : 'cancelled');
    expect(last(state)).toMatchObject({ effect: 'completed', outcome: 'not_sent' });
  });
  await world.startWorker();
  expect(await world.effects()).toMatchObject({ completes: 0 });
  if (name === 'cancel') return;
  await world.send({ name: 'release' });
  await settled('done');
  expect(await world.effects()).toMatchObject({ completes: 1 });
});

test('a hold after the call was sent: the answer says that it is followed, and its outcome is recorded', async () => {
  await givenLookingBeforeCompleting();
  await world.faults({ on: 'PUT', when: 'after', do: 'slow', ms: 2_000 });
  while ((await world.effects()).completes === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  const { phase, waiting_for } = await hold();
  expect({ phase, text: waiting_for.text }).toEqual({
    phase: 'updating',
    text: expect.stringMatching(/what became of completing it: .*followed to its outcome if it has/) as string,
  });
  const state = await world.until('settled', ({ ledger }) => ledger.at(-1)?.outcome !== 'pending');
  expect(last(state)).toMatchObject({ effect: 'completed', outcome: 'done' });
  expect(await world.effects()).toMatchObject({ puts: 2, completes: 1 });
});
