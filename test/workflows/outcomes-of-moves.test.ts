/** Each row of the table "One attempt, then look" for a PUT, on the real server: what was seen, and what follows. */
import type { AttentionCode } from '../../src/onboard/attention';
import type { OnboardView } from '../../src/onboard/view';
import { newId, World, type Fault, type WorldOptions } from '../support/world';

let world: World;
const given = async (options: WorldOptions = {}, ...faults: Fault[]) => {
  world = await World.start(options);
  if (faults.length > 0) await world.faults(...faults);
  return world;
};
afterEach(() => world.close());

const outcomes = ({ ledger }: OnboardView) => ledger.map(({ effect, outcome }) => `${effect} ${outcome}`);
const attention = (code: AttentionCode) => world.until(`attention ${code}`, (state) => state.attention?.code === code);
const waiting = () => world.until('waiting', ({ phase }) => phase === 'waiting');
const done = () => world.until('done', ({ phase }) => phase === 'done');

describe('a PUT', () => {
  const atCreated = async (...faults: Fault[]) => {
    await given();
    await world.create();
    await world.faults(...faults);
  };

  test('for in_progress that was lost is sent once more after three looks', async () => {
    await atCreated({ on: 'PUT', when: 'before', do: 'reset' });
    await world.send({ name: 'advance', to: 'in_progress' });
    const state = await world.until('in_progress', ({ status }) => status === 'in_progress');
    expect(outcomes(state)).toEqual(['create done', 'in_progress unknown', 'in_progress done']);
  });

  test.each<Fault['do']>(['reset', 'hang', 'html', 'foreign', 'truncate'])(
    'for completed that took effect is seen and never sent again: %s',
    async (fault) => {
      await atCreated();
      await world.send({ name: 'advance', to: 'in_progress' });
      await world.until('in_progress', ({ status, phase }) => status === 'in_progress' && phase === 'waiting');
      await world.faults({ on: 'PUT', when: 'after', do: fault });
      await world.send({ name: 'advance', to: 'completed' });
      expect(outcomes(await done()).at(-1)).toBe('completed adopted');
      expect(await world.effects()).toMatchObject({ puts: 2, completes: 1, emails: 1 });
    },
  );

  test('for completed that was lost is never sent again by itself; a person may order it', async () => {
    await atCreated();
    await world.send({ name: 'advance', to: 'in_progress' });
    await world.until('in_progress', ({ status, phase }) => status === 'in_progress' && phase === 'waiting');
    await world.faults({ on: 'PUT', when: 'before', do: 'status', status: 429 });
    await world.send({ name: 'advance', to: 'completed' });
    await attention('unknown_outcome');
    expect(await world.effects()).toMatchObject({ puts: 2, completes: 0 });
    await world.send({ name: 'resolve', action: 'retry', by: 'ann', reason: 'it is not there' });
    await done();
    expect(await world.effects()).toMatchObject({ puts: 3, completes: 1 });
  });

  test('whose effect a person has checked is taken as done', async () => {
    await atCreated({ on: 'PUT', when: 'before', do: 'status', status: 400 });
    await world.send({ name: 'advance', to: 'in_progress' });
    await attention('refused');
    const state = await world.send({ name: 'resolve', action: 'adopt', by: 'ann' });
    expect(state).toMatchObject({ status: 'in_progress', phase: 'waiting' });
    expect(outcomes(state)).toEqual(['create done', 'in_progress resolved']);
    expect(await world.effects()).toMatchObject({ puts: 1 });
  });

  test('sends back every field that was read, with the status and the flow', async () => {
    await atCreated();
    const flow_id = newId();
    const { record } = await world.state();
    await world.send({ name: 'advance', to: 'in_progress', flow_id });
    const after = await world.until('in_progress', ({ status }) => status === 'in_progress');
    expect(after.record).toEqual({ ...record, status: 'in_progress', flow_id, updated_at: after.record?.updated_at });
  });

  test('for a record that the list does not show is not sent; a person decides after the settle times', async () => {
    await atCreated();
    await world.emulate({ hide_created: true });
    await world.send({ name: 'advance', to: 'in_progress' });
    await attention('not_listed');
    expect(await world.effects()).toMatchObject({ puts: 0 });
    await world.emulate({ hide_created: false });
    await world.send({ name: 'resolve', action: 'retry' });
    await world.until('in_progress', ({ status }) => status === 'in_progress');
  });

  test.each<[string, AttentionCode]>([
    ['failed', 'failed_upstream'],
    ['paused', 'unexpected_status'],
  ])('is never written over the status %s; it goes on when that is mended', async (status, code) => {
    await atCreated();
    const { record } = await world.state();
    await world.elsewhere({ ...record!, status });
    await world.send({ name: 'advance', to: 'in_progress' });
    expect(await attention(code)).toMatchObject({ status });
    await world.elsewhere(record!);
    await world.send({ name: 'resolve', action: 'retry' });
    await world.until('in_progress', (state) => state.status === 'in_progress');
    expect(await world.effects()).toMatchObject({ puts: 3 });
  });
});

test('an unknown completing call is not forgotten over a duplicate: adopting ours does not complete it again', async () => {
  await given({ settings: { ONBOARDS_SETTLE: '1s', LEADCONDUIT_TIMEOUT: '3s' } });
  const { record } = await world.create();
  await world.send({ name: 'advance', to: 'in_progress' });
  await world.until('in_progress', ({ status, phase }) => status === 'in_progress' && phase === 'waiting');
  await world.faults({ on: 'PUT', when: 'before', do: 'slow', ms: 4_000 });
  await world.elsewhere({ invitation_id: newId() });
  await world.send({ name: 'advance', to: 'completed' });
  while ((await world.effects()).puts < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  await world.elsewhere({});
  expect(await world.effects()).toMatchObject({ completes: 0 });
  await attention('duplicate');
  await world.send({ name: 'resolve', action: 'adopt', onboard_id: record!.id });
  await done();
  expect(await world.effects()).toMatchObject({ completes: 1, emails: 1 });
});

describe('an outcome that somebody made up by hand', () => {
  /** Answers the activity that is out in the place of its worker. */
  async function answer(made: unknown): Promise<void> {
    const { raw } = await world.run.describe();
    await world.temporal.workflowService.respondActivityTaskCompletedById({
      namespace: 'default',
      workflowId: world.workflowId,
      activityId: raw.pendingActivities![0]!.activityId,
      result: {
        payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(JSON.stringify(made)) }],
      },
    });
  }

  test.each([{}, null])('is unknown, and looked for: %s', async (made) => {
    await given({ settings: { LEADCONDUIT_TIMEOUT: '5s' } });
    await world.faults({ on: 'POST', when: 'after', do: 'slow', ms: 3_000 });
    await world.start();
    while ((await world.effects()).posts === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await answer(made);
    expect(outcomes(await waiting())).toEqual(['create adopted']);
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });

  test('is unknown where it says that a call is done which it does not show', async () => {
    await given({ settings: { LEADCONDUIT_TIMEOUT: '5s' } });
    const { record } = await world.create();
    await world.faults({ on: 'PUT', when: 'after', do: 'slow', ms: 3_000 });
    await world.send({ name: 'advance', to: 'in_progress' });
    while ((await world.effects()).puts < 1) await new Promise((resolve) => setTimeout(resolve, 20));
    await answer({ kind: 'done', adopted: false, seen: { record, status: 'created' } });
    const moved = await world.until('in_progress', ({ status }) => status === 'in_progress');
    expect(outcomes(moved)).toEqual(['create done', 'in_progress adopted']);
    expect(await world.effects()).toMatchObject({ puts: 1 });
  });
});

describe('a flow', () => {
  const inConflict = async () => {
    const [asked, theirs] = [newId(), newId()];
    await given();
    await world.elsewhere({ flow_id: theirs });
    await world.create({ flow_id: asked });
    return { asked, theirs, open: await attention('flow_conflict') };
  };

  test('that somebody set in LeadConduit is not written over unseen', async () => {
    const [asked, theirs] = [newId(), newId()];
    await given();
    const { record } = await world.create({ flow_id: asked });
    await world.elsewhere({ ...record!, status: 'in_progress', flow_id: theirs });
    await world.send({ name: 'advance', to: 'completed' });
    expect((await attention('flow_conflict')).attention?.message).toContain(theirs);
    expect(await world.effects()).toMatchObject({ completes: 0 });
  });

  test('that is changed while the POST is out, whose answer is then lost, is in no conflict with what was posted', async () => {
    const [first, then] = [newId(), newId()];
    await given();
    await world.faults({ on: 'POST', when: 'after', do: 'hang' });
    await world.start({ flow_id: first });
    while ((await world.effects()).creates === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await world.send({ name: 'advance', to: 'in_progress', flow_id: then });
    const state = await world.until('in_progress', ({ status, attention }) => status === 'in_progress' || !!attention);
    expect(state).toMatchObject({ status: 'in_progress', record: { flow_id: then } });
    expect(outcomes(state)).toEqual(['create adopted', 'in_progress done']);
  });

  test('in conflict can be insisted on by naming it again', async () => {
    const { asked } = await inConflict();
    await world.send({ name: 'advance', to: 'in_progress', flow_id: asked });
    const state = await world.until('in_progress', ({ status }) => status === 'in_progress');
    expect(state.record).toMatchObject({ flow_id: asked });
  });

  test('in conflict stays so when somebody only looks again', async () => {
    const { open } = await inConflict();
    await world.send({ name: 'resolve', action: 'retry' });
    await world.until('asked again', (state) => (state.attention?.id ?? open.attention!.id) !== open.attention!.id);
    await attention('flow_conflict');
  });

  test('of any length is survived', async () => {
    const [invitation_id, id] = [newId(), newId()];
    const rest = { account_id: null, connection_id: null, created_at: null, updated_at: null };
    await given({ records: [{ id, invitation_id, status: 'created', flow_id: 'f'.repeat(3_000), ...rest }] });
    await world.start({ invitation_id });
    const state = await world.onboards.whenCreated({ invitation_id }, 10_000);
    expect(state).toMatchObject({ status: 'created', phase: 'waiting', stale: false, record: { id } });
  });
});

test('once somebody has said that it took effect, an onboard that is not listed is not asked about again', async () => {
  await given({ settings: { ONBOARDS_CONFIRM: '2s' } });
  await world.create();
  await world.send({ name: 'advance', to: 'completed' });
  await world.until('confirming', ({ phase }) => phase === 'confirming');
  await world.emulate({ hide_created: true });
  await attention('not_listed');
  await world.send({ name: 'resolve', action: 'adopt', by: 'ann' });
  expect((await done()).attention).toBeUndefined();
});

test('another completing word is sent, read as completed, and never sent twice', async () => {
  await given({ settings: { LEADCONDUIT_COMPLETED_STATUS: 'active', ONBOARDS_CONFIRM: '300ms' } });
  await world.create();
  await world.faults({ on: 'PUT', when: 'after', do: 'reset', times: 2 });
  await world.send({ name: 'advance', to: 'completed' });
  const state = await done();
  expect(state).toMatchObject({ status: 'completed', record: { status: 'active' } });
  expect(outcomes(state)).toEqual(['create done', 'in_progress adopted', 'completed adopted']);
  expect(await world.effects()).toMatchObject({ puts: 2 });
});

test('a set-up that fails after the completing call is seen by one more look', async () => {
  await given({ settings: { ONBOARDS_CONFIRM: '3s' } });
  await world.create();
  await world.send({ name: 'advance', to: 'completed' });
  const { record } = await world.until('confirming', ({ phase }) => phase === 'confirming');
  await world.elsewhere({ ...record!, status: 'failed' });
  expect(await attention('failed_upstream')).toMatchObject({ status: 'failed' });
  await world.send({ name: 'resolve', action: 'adopt', by: 'ann' });
  expect(await done()).toMatchObject({ status: 'completed' });
  expect(await world.effects()).toMatchObject({ puts: 3, completes: 1 });
});
