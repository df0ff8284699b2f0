/** The plain life of an onboard, from its start to completed. */
import { World } from '../support/world';

/** Of a plain life in Temporal's history, but for the workflow's tasks, which a busy worker takes in more or fewer parts. */
const EVENTS = 27;
const isTask = ({ eventType }: { eventType?: number | null }) => eventType != null && eventType >= 5 && eventType <= 9;

let world: World;
beforeEach(async () => {
  world = await World.start();
});
afterEach(() => world.close());

test('one invitation goes from its start to completed with one create and one completion', async () => {
  expect(await world.create()).toMatchObject({ status: 'created', phase: 'waiting', record: { status: 'created' } });
  await world.onboards.get(world.invitation).send({ name: 'advance', to: 'in_progress', by: 'ann' });
  await world.until('in_progress', ({ status }) => status === 'in_progress');
  await world.onboards.get(world.invitation).send({ name: 'advance', to: 'completed', by: 'ann', reason: 'all set' });
  const done = await world.until('done', ({ phase }) => phase === 'done');
  expect(done.ledger.map(({ effect, outcome }) => [effect, outcome])).toEqual([
    ['create', 'done'],
    ['in_progress', 'done'],
    ['completed', 'done'],
  ]);
  expect(await world.effects()).toEqual({ posts: 1, creates: 1, puts: 2, completes: 1, emails: 1 });
  // Each event is kept for a year, and replayed by each worker that takes the run over.
  const { events } = await world.run.fetchHistory();
  expect(events?.filter((event) => !isTask(event))).toHaveLength(EVENTS);
});

test('asked for completed in created, it goes through in_progress', async () => {
  await world.create();
  await world.onboards.get(world.invitation).send({ name: 'advance', to: 'completed' });
  const done = await world.until('done', ({ phase }) => phase === 'done');
  expect(done.ledger.map(({ effect }) => effect)).toEqual(['create', 'in_progress', 'completed']);
});
