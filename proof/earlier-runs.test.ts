/** A run that follows another (cancelled, terminated, reset) cannot know what that one sent: it asks before it repeats. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OnboardView } from '../src/onboard/view';
import { continueAsNewServer } from '../test/support/continue-as-new-server';
import { newId, World, type WorldOptions } from '../test/support/world';

let world: World;
afterEach(() => world.close());

const given = async (options: WorldOptions = {}) =>
  (world = await World.start({ ...options, policy: { attempt_ms: 4_000, ...options.policy } }));
const run = () => world.run;
const attention = (code: string) => world.until(code, (state) => state.attention?.code === code);
const inProgress = async () => {
  await world.send({ name: 'advance', to: 'in_progress' });
  await world.until('in_progress', ({ status, phase }) => status === 'in_progress' && phase === 'waiting');
};
const wasReset = ({ timeline }: OnboardView) => timeline.some(({ detail }) => detail?.includes('was reset') === true);
const lastTask = async () => {
  const { events } = await run().fetchHistory();
  return Number(events!.findLast((event) => event.workflowTaskCompletedEventAttributes)!.eventId);
};
const reset = (eventId = 4) =>
  world.temporal.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: world.workflowId },
    workflowTaskFinishEventId: { low: eventId, high: 0, unsigned: false } as never,
    requestId: newId(),
    reason: 'slip of a hand',
  });

describe('started again after a cancel or a terminate', () => {
  const ends: [string, () => Promise<unknown>][] = [
    ['cancel', () => world.send({ name: 'cancel', by: 'ann' })],
    ['terminate', () => run().terminate('slip of a hand')],
  ];

  test.each(ends)('with a key that hides what it creates, nothing is created again: %s', async (_, end) => {
    await given({ presence: false });
    await world.emulate({ hide_created: true });
    await world.create();
    await end();
    await world.until('ended', ({ phase }) => phase === 'cancelled');
    await world.start();
    await attention('absence_unproven');
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });

  test('the maybe_sent_before about a create that is listed late are handed on by a run that had done nothing yet', async () => {
    await given({ policy: { settle_ms: 1_500 } });
    await world.emulate({ lag_ms: 5_500 });
    await world.faults({ on: 'POST', when: 'after', do: 'hang' });
    await world.start();
    while ((await world.effects()).creates === 0) await sleep(10);
    await run().terminate('slip of a hand');
    await world.start();
    await world.until('begun', ({ next }) => next !== undefined);
    await run().terminate('slip of a hand');
    await world.start();
    await world.until('adopted', ({ record }) => record !== null);
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });

  test('with a create whose outcome was unknown, it needs an order', async () => {
    await given();
    await world.faults({ on: 'POST', when: 'before', do: 'reset', times: 2 });
    await world.create();
    await attention('unknown_outcome');
    await world.send({ name: 'cancel', by: 'ann' });
    const ended = await world.until('ended', ({ phase }) => phase === 'cancelled');
    expect(ended.waiting_for.text).toContain('may be in LeadConduit');
    await world.start();
    await attention('unknown_outcome');
    expect(await world.effects()).toMatchObject({ posts: 2, creates: 0 });
    await world.send({ name: 'resolve', action: 'retry', by: 'ann' });
    await world.until('created', ({ status }) => status === 'created');
    expect(await world.effects()).toMatchObject({ posts: 3, creates: 1 });
  });

  test('with nothing sent before, it creates by itself', async () => {
    await given();
    await world.faults({ on: 'GET', when: 'before', do: 'html', times: 1_000 });
    await world.start();
    await attention('list_unreadable');
    await world.send({ name: 'cancel' });
    await world.until('ended', ({ phase }) => phase === 'cancelled');
    await world.mend();
    await world.start();
    await world.until('created', ({ status, phase }) => status === 'created' && phase === 'waiting');
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });

  test('after it failed on its input: the state says so, and a new start asks before it creates', async () => {
    await given();
    const { taskQueue } = world.config;
    const options = { workflowId: world.workflowId, taskQueue, args: [{ invitation_id: 5 }] };
    await (await world.temporal.workflow.start('onboardBuyer', options)).result().catch(() => undefined);
    const failed = await world.state();
    expect(failed).toMatchObject({ phase: 'cancelled', stale: true, actions: [], waiting_for: { who: 'nobody' } });
    expect(failed.waiting_for.text).toMatch(/^its run failed \(invitation_id must be .*\): .* Start it again to go on/);
    await expect(world.send({ name: 'hold' })).rejects.toThrow(/not followed any more/);
    await world.start();
    await world.until('asked', ({ attention }) => attention?.code === 'unknown_outcome');
    await world.send({ name: 'resolve', action: 'retry' });
    await world.until('created', ({ status }) => status === 'created');
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });

  test('while its call is out on another worker, it waits until that one can be seen', async () => {
    await given({ settings: { ONBOARDS_SETTLE: '2s', LEADCONDUIT_TIMEOUT: '3s' }, policy: { attempt_ms: 7_000 } });
    await world.emulate({ lag_ms: 1_500 });
    await world.faults({ on: 'POST', when: 'before', do: 'slow', ms: 1_500 });
    await world.start();
    while ((await world.effects()).posts === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await run().terminate('slip of a hand');
    const old = world.stopWorker();
    await world.startWorker();
    await world.start();
    await world.until('adopted', ({ timeline }) => timeline.some(({ event }) => event === 'adopted'), 30_000);
    await old;
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });
});

describe('reset', () => {
  test('right after its POST, on a new worker while the list lags: it waits and adopts', async () => {
    await given();
    await world.emulate({ hide_created: true });
    await world.create();
    await world.stopWorker();
    await reset();
    await world.startWorker();
    await world.until('decided', ({ ledger: [entry] }) => entry !== undefined && entry.outcome !== 'pending');
    await world.emulate({ hide_created: false });
    await world.until('adopted', ({ status }) => status === 'created');
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });

  test.each(['update', 'signal'] as const)('an order from before does not count again: %s', async (how) => {
    await given();
    await world.create();
    await inProgress();
    await world.faults({ on: 'PUT', when: 'before', do: 'reset', times: 3 });
    await world.signal('advance', { to: 'completed' });
    const first = (await attention('unknown_outcome')).attention!.id;
    await world.signal('note', { text: 'asked the seller' });
    await world.until('noted', ({ timeline }) => timeline.at(-1)?.event === 'note');
    const at = await lastTask();
    const order = { action: 'retry', attention: first, by: 'ann' } as const;
    if (how === 'update') await world.send({ name: 'resolve', ...order });
    else await world.signal('resolve', order);
    await world.until('asked again', (state) => state.attention !== undefined && state.attention.id !== first);
    expect(await world.effects()).toMatchObject({ puts: 3, completes: 0 });
    await reset(at);
    await world.until('asked in the new run', (state) => wasReset(state) && state.attention !== undefined);
    expect(await world.effects()).toMatchObject({ puts: 3, completes: 0 });
  });

  test('whoever mends the key has not ordered a completing call', async () => {
    await given();
    await world.create();
    await inProgress();
    await world.send({ name: 'hold' });
    const at = await lastTask();
    await world.faults({ on: 'PUT', when: 'before', do: 'reset' });
    await world.send({ name: 'release' });
    await world.signal('advance', { to: 'completed' });
    await attention('unknown_outcome');
    await world.faults({ on: 'GET', when: 'before', do: 'status', status: 401, times: 1_000 });
    await reset(at);
    const refused = (await attention('credentials')).attention!.id;
    await world.send({ name: 'resolve', action: 'retry', attention: refused, by: 'ann' });
    await world.mend();
    await attention('unknown_outcome');
    expect(await world.effects()).toMatchObject({ puts: 2, completes: 0 });
  });

  describe('and continued as new', () => {
    const server = continueAsNewServer(100);
    const renew = async () => {
      const isNew = async () => (await world.state()).timeline.some(({ event }) => event === 'continued');
      // No more notes than it takes: with the rest of them the new run would soon be renewed, too.
      while (!(await isNew())) for (let n = 0; n < 10; n += 1) await world.signal('note', { text: `note ${n}` });
    };

    test('a run that continued another, then reset, does not complete again without an order', async () => {
      await given({ address: server.address() });
      await world.create();
      await renew();
      await inProgress();
      const at = await lastTask();
      await world.faults({ on: 'PUT', when: 'before', do: 'reset' });
      await world.signal('advance', { to: 'completed' });
      await attention('unknown_outcome');
      await reset(at);
      await world.until('asked', (state) => wasReset(state) && state.attention?.code === 'unknown_outcome');
      expect(await world.effects()).toMatchObject({ puts: 2, completes: 0 });
    });

    test('a run that was reset, then continued, does not either', async () => {
      await given({ address: server.address() });
      await world.create();
      await inProgress();
      const at = await lastTask();
      await world.faults({ on: 'PUT', when: 'before', do: 'reset' });
      await world.send({ name: 'advance', to: 'completed' });
      await attention('unknown_outcome');
      await reset(at);
      await renew();
      await world.until('asked', (state) => state.attention?.code === 'unknown_outcome');
      expect(await world.effects()).toMatchObject({ puts: 2, completes: 0 });
    });
  });
});
