import { newId, World } from '../support/world';

let world: World;
afterEach(() => world.close());

test('200 starts at once against a list of 5,000 that takes 2 s: none refused, none unknown, 3 calls at most', async () => {
  const records = Array.from({ length: 5_000 }, () => ({ id: newId(), invitation_id: newId(), status: 'completed' }));
  world = await World.start({ records, settings: { LEADCONDUIT_TIMEOUT: '15s' }, reserveMs: 10_000 });
  await world.faults({ on: 'GET', when: 'before', do: 'slow', ms: 2_000, times: 1_000 });
  const before = (await world.ledger()).calls.GET;
  const ids = Array.from({ length: 200 }, newId);
  await Promise.all(ids.map((invitation_id) => world.start({ invitation_id })));
  const states = await Promise.all(ids.map((invitation_id) => world.onboards.whenCreated({ invitation_id }, 100_000)));
  expect(new Set(states.flatMap(({ ledger }) => ledger.map(({ outcome }) => outcome)))).toEqual(new Set(['done']));
  expect(new Set(states.map(({ status }) => status))).toEqual(new Set(['created']));
  const { calls, max_in_flight } = await world.ledger();
  expect(calls.POST).toBe(201);
  expect(max_in_flight).toBeLessThanOrEqual(3);
  // Each look serves all that wait; one for each onboard would be 200.
  expect(calls.GET - before).toBeLessThan(40);
}, 120_000);
