/**
 * People, another client of the account, and a worker that lives on without polling × steps: what is sent, and what is
 * not. What counts is what LeadConduit was made to do.
 */
import type { AttentionCode } from '../src/onboard/attention';
import { newId, World } from '../test/support/world';
import { eventually, Onboard } from './support/operators';

type Step = 'create' | 'in_progress' | 'completed';
const STEPS: Step[] = ['create', 'in_progress', 'completed'];
const settings = { LEADCONDUIT_TIMEOUT: '6s', ONBOARDS_SETTLE: '400ms' };
const NONE = { posts: 0, creates: 0, puts: 0, completes: 0, emails: 0 };
/** What everything up to this step comes to in LeadConduit. */
const upTo = (step: Step | undefined) => {
  if (step === undefined) return NONE;
  const moves = STEPS.indexOf(step);
  const completions = moves === 2 ? 1 : 0;
  return { posts: 1, creates: 1, puts: moves, completes: completions, emails: completions };
};
const stepBefore = (step: Step) => STEPS[STEPS.indexOf(step) - 1];

async function inWorld(play: (world: World) => Promise<void>): Promise<void> {
  const world = await World.start({ settings });
  try {
    await play(world);
  } finally {
    await world.close();
  }
}

async function given(world: World, step: Step, flow_id?: string): Promise<Onboard> {
  const onboard = new Onboard(world);
  if (step === 'create') return onboard;
  await world.start({ invitation_id: onboard.invitation, flow_id });
  await onboard.created();
  if (step === 'completed') await onboard.toInProgress();
  return onboard;
}
const act = (onboard: Onboard, step: Step) =>
  step === 'create' ? onboard.start() : onboard.signal('advance', { to: step });
const arrived = (onboard: Onboard, step: Step) =>
  onboard.until(
    step,
    ({ status, phase }) => status === (step === 'create' ? 'created' : step) && ['waiting', 'done'].includes(phase),
  );

describe.each(['hold', 'cancel'] as const)('a %s', (name) => {
  const phase = name === 'hold' ? 'held' : 'cancelled';

  test.concurrent.each(STEPS)('before the first byte of %s: nothing is sent until somebody lets it go on', (step) =>
    inWorld(async (world) => {
      const onboard = await given(world, step);
      await world.faults({ on: 'GET', when: 'before', do: 'slow', ms: 2_500 });
      const { calls } = await world.ledger();
      await act(onboard, step);
      await eventually('looking', async () => (await world.ledger()).calls.GET > calls.GET);
      await onboard.send({ name });
      const state = await onboard.until(phase, (is) => is.phase === phase);
      expect(state.ledger.at(-1)).toMatchObject({ effect: step, outcome: 'not_sent' });
      expect(await onboard.effects()).toEqual(upTo(stepBefore(step)));
      if (name === 'hold') await onboard.send({ name: 'release' });
      else {
        await onboard.start();
        if (step !== 'create') await onboard.signal('advance', { to: step });
      }
      await arrived(onboard, step);
      expect(await onboard.effects()).toEqual(upTo(step));
    }),
  );

  test.concurrent.each(STEPS)('after the first byte of %s: its outcome is recorded, and it is not sent again', (step) =>
    inWorld(async (world) => {
      const onboard = await given(world, step);
      const on = step === 'create' ? 'POST' : 'PUT';
      await world.faults({ on, when: 'before', do: 'slow', ms: 2_000, invitation_id: onboard.invitation });
      await act(onboard, step);
      const { posts, puts } = upTo(step);
      await onboard.sent(step === 'create' ? 'posts' : 'puts', step === 'create' ? posts : puts);
      await onboard.send({ name });
      const state = await onboard.until('settled', ({ ledger }) => ledger.at(-1)?.outcome !== 'pending');
      expect(state.ledger.at(-1)).toMatchObject({ effect: step, outcome: 'done' });
      if (name === 'cancel') await onboard.until('cancelled', (is) => is.phase === 'cancelled');
      else if (step !== 'completed') await onboard.send({ name: 'release' });
      expect(await onboard.effects()).toEqual(upTo(step));
    }),
  );
});

describe('another client of the account', () => {
  const FLOW = newId();
  const THEIRS = newId();
  type Change = 'sets another flow' | 'takes the status back' | 'makes a second onboard';
  const changes: [Step, Change, AttentionCode][] = [
    ['in_progress', 'sets another flow', 'flow_conflict'],
    ['completed', 'sets another flow', 'flow_conflict'],
    ['completed', 'takes the status back', 'unexpected_status'],
    ['in_progress', 'makes a second onboard', 'duplicate'],
    ['completed', 'makes a second onboard', 'duplicate'],
  ];

  test.concurrent.each(changes)('before %s, %s: nothing is sent, and a person is asked: %s', (step, change, code) =>
    inWorld(async (world) => {
      const onboard = await given(world, step, FLOW);
      const record = (await onboard.state()).record!;
      const { invitation: invitation_id } = onboard;
      if (change === 'makes a second onboard') await world.elsewhere({ invitation_id });
      else
        await world.elsewhere({
          ...record,
          ...(code === 'flow_conflict' ? { flow_id: THEIRS } : { status: 'created' }),
        });
      const before = await onboard.effects();
      await onboard.signal('advance', { to: step });
      const { attention } = await onboard.until(code, (state) => state.attention?.code === code);
      expect(await onboard.effects()).toEqual(before);

      const isBack = code === 'unexpected_status';
      // Whoever set it back puts it right in LeadConduit.
      if (isBack) await world.elsewhere({ ...record });
      const choice = code === 'duplicate' ? { onboard_id: record.id } : {};
      await onboard.send({ name: 'resolve', action: isBack ? 'retry' : 'adopt', attention: attention?.id, ...choice });
      // Chosen anew, an onboard is to be told anew how far it is to go.
      if (code === 'duplicate') await onboard.signal('advance', { to: step });
      const state = await arrived(onboard, step);
      expect(state.record).toMatchObject({ id: record.id, flow_id: code === 'flow_conflict' ? THEIRS : FLOW });
      const after = await onboard.effects();
      expect(after).toEqual({
        ...before,
        puts: before.puts + (isBack ? 2 : 1),
        completes: step === 'completed' ? 1 : 0,
        emails: step === 'completed' ? 1 : 0,
      });
    }),
  );

  test.concurrent.each(['in_progress', 'completed'] as const)(
    'before %s, sets another flow, and a look shows it: it is told at once, and nothing is written over',
    (step) =>
      inWorld(async (world) => {
        const onboard = await given(world, step, FLOW);
        await world.elsewhere({ ...(await onboard.state()).record!, flow_id: THEIRS });
        const before = await onboard.effects();
        await onboard.send({ name: 'look' });
        await onboard.signal('advance', { to: step });
        const { attention } = await onboard.until('told', (state) => state.attention?.code === 'flow_conflict');
        expect(await onboard.effects()).toEqual(before);
        await onboard.send({ name: 'resolve', action: 'adopt', attention: attention?.id });
        expect((await arrived(onboard, step)).record).toMatchObject({ flow_id: THEIRS });
      }),
  );

  test.concurrent(
    'in the instant of the create: the look of any other onboard tells it, and nothing more is sent',
    () =>
      inWorld(async (world) => {
        const onboard = await given(world, 'create');
        const { invitation: invitation_id } = onboard;
        await world.faults({ on: 'POST', when: 'after', do: 'slow', ms: 1_000, invitation_id });
        await onboard.start();
        await onboard.sent('posts', 1);
        await world.elsewhere({ invitation_id });
        const { record } = await onboard.created();
        await new Onboard(world).start();
        const { attention } = await onboard.until('told', (state) => state.attention?.code === 'duplicate');
        await onboard.signal('advance', { to: 'completed' });
        await onboard.until('asked to', ({ timeline }) => timeline.at(-1)?.event === 'advance_asked');
        expect(await onboard.effects()).toMatchObject({ posts: 2, creates: 2, puts: 0 });
        await onboard.send({ name: 'resolve', action: 'adopt', attention: attention?.id, onboard_id: record?.id });
        await onboard.signal('advance', { to: 'completed' });
        const done = await arrived(onboard, 'completed');
        expect(done.record?.id).toBe(record?.id);
        expect(await onboard.effects()).toMatchObject({ posts: 2, creates: 2, puts: 2, completes: 1, emails: 1 });
      }),
  );

  test.concurrent.each(['before', 'after'] as const)(
    'while our create is lost, %s its effect: there is one of ours at most',
    (when) =>
      inWorld(async (world) => {
        const onboard = await given(world, 'create');
        const { invitation: invitation_id } = onboard;
        await world.faults({ on: 'POST', when, do: 'hang', ms: 1_000, invitation_id });
        await onboard.start();
        await onboard.sent('posts', 1);
        const { id } = await world.elsewhere({ invitation_id });
        const state = await onboard.until(
          'known',
          ({ attention, record }) => record !== null || attention !== undefined,
        );
        expect(state.attention?.code).toBe(when === 'after' ? 'duplicate' : undefined);
        expect(state.record?.id).toBe(when === 'after' ? undefined : id);
        expect(await onboard.effects()).toMatchObject({ posts: 2, creates: when === 'after' ? 2 : 1 });
      }),
  );
});

test.concurrent.each(STEPS)('%s is out, and its worker polls no more while its process lives: done once', (step) =>
  inWorld(async (world) => {
    const onboard = await given(world, step);
    const on = step === 'create' ? 'POST' : 'PUT';
    await world.faults({ on, when: 'before', do: 'slow', ms: 3_000, invitation_id: onboard.invitation });
    await act(onboard, step);
    const { posts, puts } = upTo(step);
    await onboard.sent(step === 'create' ? 'posts' : 'puts', step === 'create' ? posts : puts);
    const ended = world.stopWorker();
    await world.startWorker();
    await arrived(onboard, step);
    expect(await onboard.effects()).toEqual(upTo(step));
    await ended;
  }),
);
