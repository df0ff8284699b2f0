/** What operators can do to a running attempt with Temporal's own tools: it never acts twice. */
import { LeadConduitClient, type WireEvent } from '../../src/leadconduit/client';
import { newId, World } from '../support/world';

let world: World;
afterEach(() => world.close());

const execution = () => ({ workflowId: world.workflowId });
const service = () => world.temporal.workflowService;
const out = () => world.until('out', ({ waiting_for }) => waiting_for.who === 'leadconduit');
const posted = async () => {
  while ((await world.effects()).posts === 0) await new Promise((resolve) => setTimeout(resolve, 20));
};

test('an activity that is reset while its POST is out looks and does not send again', async () => {
  world = await World.start({ settings: { LEADCONDUIT_TIMEOUT: '10s' } });
  await world.faults({ on: 'POST', when: 'after', do: 'hang' });
  await world.start();
  await posted();
  await service().resetActivity({
    namespace: 'default',
    execution: execution(),
    type: 'createOnboard',
    resetHeartbeat: true,
  });
  await world.mend(); // lets go of the call
  const state = await world.until('created', ({ status }) => status === 'created');
  expect(state.ledger.map(({ outcome }) => outcome)).toEqual(['adopted']);
  expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
});

test('an activity that is paused and unpaused while its POST is out does not send again', async () => {
  world = await World.start({ settings: { LEADCONDUIT_TIMEOUT: '10s' } });
  await world.faults({ on: 'POST', when: 'after', do: 'hang' });
  await world.start();
  await posted();
  await service().pauseActivity({ namespace: 'default', execution: execution(), type: 'createOnboard' });
  await service().unpauseActivity({ namespace: 'default', execution: execution(), type: 'createOnboard' });
  await world.mend();
  await world.until('created', ({ status }) => status === 'created');
  expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
});

const reset = () =>
  service().resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: execution(),
    workflowTaskFinishEventId: { low: 4, high: 0, unsigned: false } as never,
    requestId: newId(),
    reason: 'slip of a hand',
  });

test('a run that is reset to its first task while its POST is out waits for that call and adopts', async () => {
  world = await World.start({ settings: { ONBOARDS_SETTLE: '1s', LEADCONDUIT_TIMEOUT: '5s' } });
  await world.faults({ on: 'POST', when: 'after', do: 'slow', ms: 3_000 });
  await world.start();
  await posted();
  expect((await out()).ledger).toMatchObject([{ outcome: 'pending' }]);
  await reset();
  const state = await world.until('created', ({ status }) => status === 'created');
  expect(state.timeline.map(({ event }) => event)).toContain('adopted');
  expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
});

test('a run that is reset right after its POST, while the list lags, waits and looks once more later', async () => {
  world = await World.start({ settings: { ONBOARDS_SETTLE: '3s' } });
  await world.emulate({ lag_ms: 2_500 });
  await world.create();
  await reset();
  const state = await world.until('checked', ({ timeline }) => timeline.at(-1)?.event === 'checked');
  expect(state.timeline.map(({ event }) => event)).toContain('adopted');
  expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
});

test('a run that is reset after a lost completing call does not send it again without an order', async () => {
  world = await World.start({ policy: { attempt_ms: 4_000 } });
  await world.create();
  await world.send({ name: 'advance', to: 'in_progress' });
  await world.until('in_progress', ({ status, phase }) => status === 'in_progress' && phase === 'waiting');
  await world.faults({ on: 'PUT', when: 'before', do: 'reset' });
  await world.signal('advance', { to: 'completed' });
  const unknown = async () => world.until('unknown', ({ attention }) => attention?.code === 'unknown_outcome');
  await unknown();
  await reset();
  await world.until('begun anew', ({ timeline }) => timeline.some(({ event }) => event === 'adopted'));
  await unknown();
  expect(await world.effects()).toMatchObject({ puts: 2, completes: 0 });
  // The order outlives a try that comes to nothing.
  await world.faults(
    { on: 'GET', when: 'before', do: 'html', times: 1 },
    { on: 'GET', when: 'before', do: 'status', status: 401, times: 1 },
  );
  await world.send({ name: 'resolve', action: 'retry', by: 'ann' });
  await world.until('done', ({ phase }) => phase === 'done');
  expect(await world.effects()).toMatchObject({ puts: 3, completes: 1 });
});

test('an attempt that Temporal does not know any more sends nothing, whatever our clocks say', async () => {
  world = await World.start({ settings: { LEADCONDUIT_TIMEOUT: '5s' } });
  const { GET } = (await world.ledger()).calls;
  await world.faults({ on: 'GET', when: 'before', do: 'slow', ms: 3_000 });
  await world.start();
  while ((await world.ledger()).calls.GET === GET) await new Promise((resolve) => setTimeout(resolve, 20));
  await world.temporal.workflow.getHandle(execution().workflowId).terminate('slip of a hand');
  await world.stopWorker(); // ends when the attempt has
  expect(await world.effects()).toMatchObject({ posts: 0 });
  expect((await world.ledger()).calls.GET).toBe(GET + 1);
});

test('a call whose connection is there only when its look is old looks again before it sends', async () => {
  world = await World.start({ settings: { LEADCONDUIT_TIMEOUT: '8s' }, policy: { attempt_ms: 20_000 } });
  await world.stopWorker();
  let frozen = false;
  const onStage = ({ operation, stage }: WireEvent) => {
    if (frozen || operation !== 'create' || stage !== 'connecting') return;
    frozen = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5_100);
  };
  const { apiKey = '', ...settings } = world.config.leadconduit;
  await world.startWorker({ leadconduit: new LeadConduitClient({ ...settings, apiKey, onStage }) });
  const { GET } = (await world.ledger()).calls;
  const { timeline } = await world.create();
  expect(timeline.map(({ event }) => event)).toEqual(['started', 'created']);
  expect((await world.ledger()).calls.GET).toBe(GET + 2);
  expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
});
