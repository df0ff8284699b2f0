/** What operators can do to a running attempt with Temporal's own tools: it never acts twice. */
import { World } from './support/world';

let world: World;
afterEach(() => world.close());

const execution = () => ({ workflowId: `onboard-${world.invitation}` });
const service = () => world.temporal.workflowService;
const out = () => world.until('out', ({ waiting_for }) => waiting_for.who === 'leadconduit');
const posted = async () => {
  while ((await world.effects()).posts === 0) await new Promise((resolve) => setTimeout(resolve, 20));
};

test('an activity that is reset while its POST is out looks and does not send again', async () => {
  world = await World.start({ policy: { attempt_ms: 4_000 } });
  await world.faults({ on: 'POST', when: 'after', do: 'hang' });
  await world.start();
  await posted();
  await service().resetActivity({
    namespace: 'default',
    execution: execution(),
    type: 'createOnboard',
    resetHeartbeat: true,
  });
  const state = await world.until('created', ({ status }) => status === 'created');
  expect(state.ledger.map(({ outcome }) => outcome)).toEqual(['adopted']);
  expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
});

test('an activity that is paused and unpaused while its POST is out does not send again', async () => {
  world = await World.start({ policy: { attempt_ms: 4_000 } });
  await world.faults({ on: 'POST', when: 'after', do: 'hang' });
  await world.start();
  await posted();
  await service().pauseActivity({ namespace: 'default', execution: execution(), type: 'createOnboard' });
  await service().unpauseActivity({ namespace: 'default', execution: execution(), type: 'createOnboard' });
  await world.until('created', ({ status }) => status === 'created');
  expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
});

test('a run that is reset to its first task while its POST is out waits for that call and adopts', async () => {
  world = await World.start();
  await world.faults({ on: 'POST', when: 'after', do: 'slow', ms: 700 });
  await world.start();
  await out();
  await posted();
  await service().resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: execution(),
    workflowTaskFinishEventId: { low: 4, high: 0, unsigned: false } as never,
    requestId: world.invitation,
    reason: 'slip of a hand',
  });
  const state = await world.until('created', ({ status }) => status === 'created');
  expect(state.timeline.map(({ event }) => event)).toContain('adopted');
  expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
});
