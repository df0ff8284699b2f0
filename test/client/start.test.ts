/** Starting an onboard: one workflow for an invitation, however often it is asked for, and a conflict where another flow is meant. */
import { eventually } from '../support/api';
import { newId, World } from '../support/world';

let world: World;
beforeEach(async () => {
  world = await World.start({ settings: { LEADCONDUIT_TIMEOUT: '5s' } });
});
afterEach(() => world.close());

describe('starting', () => {
  test('twenty times at once in mixed case is one workflow and one POST', async () => {
    const ids = Array.from({ length: 20 }, (_, n) => (n % 2 ? world.invitation.toUpperCase() : world.invitation));
    await Promise.all(ids.map((invitation_id) => world.start({ invitation_id })));
    await world.create();
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
    expect(await world.onboards.lists.list()).toHaveLength(1);
  });

  test('again when completed starts nothing', async () => {
    await world.create();
    await world.send({ name: 'advance', to: 'completed' });
    await world.until('done', ({ phase }) => phase === 'done');
    expect(await world.create()).toMatchObject({ phase: 'done', status: 'completed' });
    expect(await world.effects()).toMatchObject({ posts: 1, completes: 1 });
  });

  test('after a run was terminated while its POST is out waits a settle time, looks, and adopts', async () => {
    await world.faults({ on: 'POST', when: 'before', do: 'slow', ms: 3_000 });
    await world.start();
    while ((await world.effects()).posts === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await world.run.terminate('slip of a hand');
    expect(await world.effects()).toMatchObject({ creates: 0 });
    expect((await world.state()).phase).toBe('cancelled');
    const again = await world.create();
    expect(again.status).toBe('created');
    await world.until('checked', ({ timeline }) => timeline.at(-1)?.event === 'checked');
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });

  describe('again while a cancel that was accepted waits', () => {
    const followed = async () => {
      expect(await world.create()).toMatchObject({ phase: 'waiting', status: 'created' });
      const run = await world.run.describe();
      expect(run.status.name).toBe('RUNNING');
      expect(await world.effects()).toMatchObject({ creates: 1 });
    };

    test('for its call is followed by a new run', async () => {
      await world.faults({ on: 'POST', when: 'after', do: 'slow', ms: 2_000 });
      await world.start();
      await eventually(async () => (await world.effects()).posts > 0);
      await world.send({ name: 'cancel' });
      await followed();
    });

    test('for a look is followed by a new run', async () => {
      await world.create();
      const { GET: looks } = (await world.ledger()).calls;
      await world.faults({ on: 'GET', when: 'after', do: 'slow', ms: 2_000 });
      await world.send({ name: 'look' });
      await eventually(async () => (await world.ledger()).calls.GET > looks);
      await world.send({ name: 'cancel' });
      await followed();
    });

    test('for a move, by a start that waits: it waits for the end, and is followed', async () => {
      const { record } = await world.create();
      await world.faults({ on: 'PUT', when: 'after', do: 'slow', ms: 2_000 });
      await world.send({ name: 'advance', to: 'in_progress' });
      await eventually(async () => (await world.effects()).puts > 0);
      await world.send({ name: 'cancel' });
      const { state } = await world.onboards.onboard({ invitation_id: world.invitation }, 20_000);
      expect(state).toMatchObject({ phase: 'waiting', status: 'in_progress', record: { id: record?.id } });
      expect(await world.effects()).toMatchObject({ creates: 1, puts: 1 });
    });

    test('and nobody carries on: it says so, and nothing is started', async () => {
      await world.faults({ on: 'POST', when: 'after', do: 'slow', ms: 3_000 });
      await world.start();
      await eventually(async () => (await world.effects()).posts > 0);
      await world.send({ name: 'cancel' });
      await expect(world.onboards.start({ invitation_id: world.invitation }, Date.now() + 200)).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringContaining('is being cancelled') as string,
      });
    });
  });

  test('for another flow is a conflict; for none, or the same, it is not', async () => {
    const [flow_id, other] = [newId(), newId()];
    await world.create({ flow_id });
    await world.create();
    await world.create({ flow_id: flow_id.toUpperCase() });
    await expect(world.create({ flow_id: other })).rejects.toThrow(/is for flow/);
  });

  test('for a flow when it is too late for one says so', async () => {
    await world.create();
    await world.send({ name: 'advance', to: 'in_progress' });
    await world.until('in_progress', ({ status }) => status === 'in_progress');
    await expect(world.create({ flow_id: newId() })).rejects.toThrow(/is in_progress without a flow: nothing was/);
  });

  test('for a flow where none was asked for names the way to set it', async () => {
    await world.create();
    const flow_id = newId();
    await expect(world.create({ flow_id })).rejects.toThrow(`advance --to in_progress --flow-id ${flow_id}`);
    await world.send({ name: 'advance', to: 'in_progress', flow_id });
    await world.until('in_progress', ({ status }) => status === 'in_progress');
    await expect(world.send({ name: 'advance', to: 'completed', flow_id: newId() })).rejects.toThrow(
      /cannot be changed/,
    );
  });

  test('under another workflow id fails before anything is sent', async () => {
    const run = await world.temporal.workflow.start('onboardBuyer', {
      workflowId: `mine-${world.invitation}`,
      taskQueue: world.config.taskQueue,
      args: [{ invitation_id: world.invitation }],
    });
    await expect(run.result()).rejects.toMatchObject({
      cause: { message: expect.stringContaining('workflow id must be') as string },
    });
    expect(await world.effects()).toMatchObject({ posts: 0 });
  });

  test.each<[string, unknown[]]>([
    ['none', []],
    ['null', [null]],
    ['a label that is no text', [{ label: 5 }]],
    ['a time that is none', [{ not_before: 'soon' }]],
    ['a policy of nonsense', [{ policy: { settle_ms: 0 } }]],
    ['a flow that is none', [{ flow_id: 'x' }]],
  ])('with an input that cannot be used fails and says so: %s', async (_, input) => {
    const args = input.map((one) => one && { invitation_id: world.invitation, ...one });
    const { taskQueue } = world.config;
    const run = await world.temporal.workflow.start('onboardBuyer', {
      workflowId: world.workflowId,
      taskQueue,
      args,
    });
    await expect(run.result()).rejects.toMatchObject({ cause: { type: 'OnboardInput' } });
  });
});
