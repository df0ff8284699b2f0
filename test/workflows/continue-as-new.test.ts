/** A long history goes on in a new run: nothing is lost but what is counted as dropped. On a server that asks for it early. */
import { continueAsNewServer } from '../support/continue-as-new-server';
import { World } from '../support/world';
import { workflowIdOf } from '../../src/onboard/ids';

const server = continueAsNewServer(100);
let world: World;

beforeEach(async () => {
  world = await World.start({ address: server.address() });
});
afterEach(() => world.close());

const runs = async () => {
  const found = [];
  for await (const run of world.temporal.workflow.list({ query: `WorkflowId = '${world.workflowId}'` }))
    found.push(run);
  return found;
};

test('keys, ledger, timeline and what was asked are carried over; a repeated key still acts once', async () => {
  await world.create();
  await world.send({ name: 'hold', by: 'ann', key: 'the-hold' });
  await world.send({ name: 'release' });
  for (let n = 0; n < 60; n += 1) await world.signal('note', { text: `note ${n}`, key: `k${n}` });
  await world.until('continued', ({ timeline }) => timeline.some(({ event }) => event === 'continued'));
  await world.send({ name: 'hold', by: 'ann', key: 'the-hold' });
  for (let n = 0; n < 60; n += 1) await world.signal('note', { text: `note ${n}`, key: `k${n}` });
  await world.send({ name: 'advance', to: 'completed' });
  const done = await world.until('done', ({ phase }) => phase === 'done');
  const texts = done.timeline.filter(({ event }) => event === 'note').map(({ detail }) => detail);
  expect(texts).toEqual(Array.from({ length: 60 }, (_, n) => `note ${n}`));
  expect(done.timeline.filter(({ event }) => event === 'held')).toHaveLength(1);
  expect(done.ledger.map(({ effect }) => effect)).toEqual(['create', 'in_progress', 'completed']);
  // They are counted on, not anew; one may have had no time left to be sent, and has given its line to the next.
  const numbers = done.ledger.map(({ n }) => n);
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  expect((await runs()).length).toBeGreaterThan(1);
  expect(await world.effects()).toEqual({ posts: 1, creates: 1, puts: 2, completes: 1, emails: 1 });
  expect(await world.onboards.lists.list()).toHaveLength(1);
});

test('what a new run cannot carry is dropped from the old end, and counted', async () => {
  await world.create();
  for (let n = 0; n < 520; n += 40)
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => world.signal('note', { text: `${n + i} ${'字'.repeat(5_000)}` })),
    );
  const state = await world.until('continued', ({ timeline }) =>
    timeline.some(({ detail }) => detail?.startsWith('519 ')),
  );
  // 500 lines, or fewer when they are long.
  expect(state.timeline.length).toBeLessThan(500);
  expect(state.timeline[0]).toMatchObject({
    event: 'dropped',
    detail: expect.stringMatching(/[1-9]\d+ lines/) as string,
  });
  expect(Math.max(...state.timeline.map(({ detail }) => detail?.length ?? 0))).toBe(2_000);
  await world.send({ name: 'advance', to: 'completed' });
  await world.until('done', ({ phase }) => phase === 'done');
}, 90_000);

test('with callers that wait for the record, they are answered by the run that follows', async () => {
  await world.faults({ on: 'GET', when: 'before', do: 'html', times: 6 });
  await world.start();
  const waiting = world.onboards.whenCreated({ invitation_id: world.invitation }, 30_000);
  for (let n = 0; n < 100; n += 1) await world.signal('note', { text: `note ${n}` });
  expect((await waiting).invitation_id).toBe(world.invitation);
  await world.until('created', ({ status }) => status === 'created');
  expect((await runs()).length).toBeGreaterThan(1);
  expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
});

test('an order that a person gives to the run that follows acts, whichever run had asked for it', async () => {
  await world.close();
  world = await World.start({ address: server.address(), presence: false });
  const { invitation, config } = world;
  // An earlier run may have created it, and the list has shown none of ours.
  const input = {
    invitation_id: invitation,
    maybe_sent_before: ['create'],
    policy: { settle_ms: 100, attempt_ms: 4_000 },
  };
  const workflowId = workflowIdOf(invitation);
  await world.temporal.workflow.start('onboardBuyer', { workflowId, taskQueue: config.taskQueue, args: [input] });
  const asked = await world.until('asked', (state) => state.attention?.code === 'absence_unproven');
  for (let n = 0; n < 100; n += 1) await world.signal('note', { text: `note ${n}` });
  const later = await world.until('continued', ({ timeline }) => timeline.some(({ event }) => event === 'continued'));
  expect(later.attention?.id).toBe(asked.attention!.id);
  expect(await world.effects()).toMatchObject({ posts: 0 });
  await world.send({ name: 'resolve', action: 'retry', by: 'ann' });
  await world.until('created', ({ status }) => status === 'created');
  expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
});
