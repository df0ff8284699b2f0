/** An onboard makes progress under the limits of the worker that runs now, with many others too, or says what is wrong. */
import { LeadConduitClient } from '../../src/leadconduit/client';
import { newId, World } from '../support/world';

let world: World;
afterEach(() => world.close());

const created = () => world.until('created', ({ status }) => status === 'created');
const attention = (code: string) => world.until(code, (state) => state.attention?.code === code);
const leadconduit = (timeoutMs: number) => {
  const { apiKey = '', ...settings } = world.config.leadconduit;
  return new LeadConduitClient({ ...settings, apiKey, timeoutMs });
};

test('where whoever started it allows calls less time than the worker does: it takes the worker’s', async () => {
  world = await World.start({ settings: { LEADCONDUIT_TIMEOUT: '4s' }, policy: { attempt_ms: 3_000 } });
  await world.start();
  expect((await created()).ledger.at(-1)).toMatchObject({ outcome: 'done' });
  expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
});

test('a limit that is raised because looks take too long is enough for what waits already', async () => {
  world = await World.start({ policy: { attempt_ms: 4_000 } });
  await world.faults({ on: 'GET', when: 'after', do: 'slow', ms: 1_700, times: 100 });
  await world.start();
  await attention('list_unreadable');
  await world.stopWorker();
  await world.startWorker({ leadconduit: leadconduit(6_000) });
  await created();
  expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
});

test('so it is while its outcome is unknown', async () => {
  world = await World.start({ policy: { attempt_ms: 4_000 } });
  await world.faults(
    { on: 'POST', when: 'after', do: 'reset' },
    { on: 'GET', when: 'after', do: 'slow', ms: 0 },
    { on: 'GET', when: 'after', do: 'slow', ms: 3_500, times: 100 },
  );
  await world.start();
  await attention('list_unreadable');
  await world.stopWorker();
  await world.startWorker({ leadconduit: leadconduit(12_000) });
  expect((await created()).ledger.at(-1)).toMatchObject({ outcome: 'adopted' });
  expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
});

test('a call that is not sent again and again asks for a person, and goes on by itself once it can be', async () => {
  world = await World.start({ policy: { backoff_ms: 1 } });
  await world.faults({ on: 'POST', when: 'before', do: 'status', status: 429, times: 10_000 });
  await world.start();
  const state = await attention('not_sent');
  expect(state.attention?.message).toMatch(/times in a row the create call was not sent/);
  expect(state.actions).toContain('resolve retry');
  await world.mend();
  await world.send({ name: 'resolve', action: 'retry' });
  await created();
  expect(await world.effects()).toMatchObject({ creates: 1 });
});

test('of many who look while the list is slow, none keeps a newcomer waiting for more than its turn', async () => {
  world = await World.start({ settings: { LEADCONDUIT_TIMEOUT: '3s', LEADCONDUIT_MAX_CONCURRENCY: '1' } });
  const others = Array.from({ length: 40 }, (_, n) => n.toString(16).padStart(24, 'd'));
  await world.faults({ on: 'POST', when: 'after', do: 'reset', times: 40 });
  await world.emulate({ hide_created: true });
  for (const invitation_id of others) await world.start({ invitation_id });
  while (Object.keys((await world.ledger()).invitations).length < 41) await new Promise((r) => setTimeout(r, 50));
  await world.faults({ on: 'GET', when: 'after', do: 'slow', ms: 500, times: 10_000 });
  const since = (await world.ledger()).calls.GET;
  await world.emulate({ hide_created: false });
  await world.start();
  await created();
  // Each activity waits for two looks at most; 41 of them in 8 slots take turns.
  expect((await world.ledger()).calls.GET - since).toBeLessThan(15);
});

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

test('a run takes the longest times that the settings can have', async () => {
  const settings = { LEADCONDUIT_TIMEOUT: '10m', ONBOARDS_SETTLE: '1d', ONBOARDS_CONFIRM: '30d' };
  world = await World.start({ settings });
  expect(await world.create()).toMatchObject({ status: 'created' });
});
