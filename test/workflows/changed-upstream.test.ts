/** What somebody changed in LeadConduit itself is not written over: a person is asked before the PUT. */
import { newId, World } from '../support/world';

let world: World;
beforeEach(async () => {
  world = await World.start();
});
afterEach(() => world.close());

const attention = (code: string) => world.until(code, (state) => state.attention?.code === code);
const inProgress = () =>
  world.until('in_progress', ({ status, phase }) => status === 'in_progress' && phase === 'waiting');
const done = () => world.until('done', ({ phase }) => phase === 'done');

async function givenInProgress(flow_id = newId()) {
  await world.create({ flow_id });
  await world.send({ name: 'advance', to: 'in_progress' });
  return (await inProgress()).record!;
}

test('another flow, set after in_progress: the completing call waits for a person, who may take it', async () => {
  const [mine, theirs] = [newId(), newId()];
  const record = await givenInProgress(mine);
  await world.elsewhere({ ...record, flow_id: theirs });
  await world.send({ name: 'advance', to: 'completed' });
  const asked = await attention('flow_conflict');
  expect(asked.attention?.message).toBe(`Flow ${mine} was asked for, but LeadConduit's record has flow ${theirs}.`);
  expect(await world.effects()).toMatchObject({ puts: 2, completes: 0 });
  await world.send({ name: 'resolve', action: 'adopt', by: 'ann' });
  expect((await done()).record).toMatchObject({ flow_id: theirs, status: 'completed' });
  expect(await world.effects()).toMatchObject({ completes: 1 });
});

test('a flow that was taken away, too', async () => {
  const record = await givenInProgress();
  await world.elsewhere({ ...record, flow_id: null });
  await world.send({ name: 'advance', to: 'completed' });
  expect((await attention('flow_conflict')).attention?.message).toMatch(/has none\.$/);
  expect(await world.effects()).toMatchObject({ completes: 0 });
});

test('another flow, set before in_progress while we ask for one: a person decides', async () => {
  const { record } = await world.create();
  await world.elsewhere({ ...record!, flow_id: newId() });
  await world.send({ name: 'advance', to: 'in_progress', flow_id: newId() });
  await attention('flow_conflict');
  expect(await world.effects()).toMatchObject({ puts: 1 });
});

test('a status that was taken back: nothing that leads up to it is sent again, and nothing is completed', async () => {
  const record = await givenInProgress();
  await world.elsewhere({ ...record, status: 'created' });
  await world.send({ name: 'advance', to: 'completed' });
  expect((await attention('unexpected_status')).attention?.message).toMatch(/"created", but in_progress was reached/);
  expect(await world.effects()).toMatchObject({ puts: 2, completes: 0 });
});

test('status and flow at once: when the status is mended, the flow still waits for a person', async () => {
  const [mine, theirs] = [newId(), newId()];
  const record = await givenInProgress(mine);
  await world.elsewhere({ ...record, flow_id: theirs, status: 'created' });
  await world.send({ name: 'advance', to: 'completed' });
  await attention('unexpected_status');
  await world.elsewhere({ ...record, flow_id: theirs });
  await world.send({ name: 'resolve', action: 'retry', by: 'ann' });
  const asked = await attention('flow_conflict');
  expect(asked.attention?.message).toBe(`Flow ${mine} was asked for, but LeadConduit's record has flow ${theirs}.`);
  await world.send({ name: 'resolve', action: 'adopt', by: 'ann' });
  expect((await done()).record).toMatchObject({ flow_id: theirs, status: 'completed' });
  expect(await world.effects()).toMatchObject({ completes: 1 });
});

test('a list that only lags behind our own call accuses nobody: it is asked again', async () => {
  const record = await givenInProgress();
  const between = (Date.parse(record.updated_at!) + Date.parse(record.created_at!)) / 2;
  await world.faults({ on: 'GET', when: 'before', do: 'stale', ms: Math.ceil(Date.now() - between) });
  await world.send({ name: 'advance', to: 'completed' });
  const { timeline } = await done();
  expect(timeline.map(({ event }) => event)).not.toContain('attention');
  expect(await world.effects()).toMatchObject({ puts: 2, completes: 1 });
});

test('without a flow of ours, whatever stands there is kept', async () => {
  const { record } = await world.create();
  await world.send({ name: 'advance', to: 'in_progress' });
  await inProgress();
  const flow_id = newId();
  await world.elsewhere({ ...record!, status: 'in_progress', flow_id });
  await world.send({ name: 'advance', to: 'completed' });
  expect((await done()).record).toMatchObject({ flow_id, status: 'completed' });
});
