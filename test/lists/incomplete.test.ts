/** What a list does not show counts only where nothing speaks against the list: it lacks nothing that it has shown, and says of itself neither "partial" nor "old". */
import { newRecord } from '../../src/emulator/ledger';
import type { OnboardView } from '../../src/onboard/view';
import { newId, World, type Fault } from '../support/world';

let world: World;
let invitations: string[];
afterEach(() => world.close());

const attention = (code: string) => world.until(code, (state) => state.attention?.code === code);
const waiting = () => world.until('waiting', ({ phase }) => phase === 'waiting');

/** Onboards of ours that the list has shown, and one that somebody else made for this world's invitation. */
async function givenListed(others = 2): Promise<void> {
  world = await World.start();
  invitations = Array.from({ length: others }, newId);
  for (const invitation_id of invitations) await world.start({ invitation_id });
  for (const invitation_id of invitations) {
    await world.onboards.whenCreated({ invitation_id }, 20_000);
    await world.onboards.get(invitation_id).send({ name: 'advance', to: 'in_progress' });
    const onboard = world.onboards.get(invitation_id);
    await onboard.follow(
      await onboard.state(),
      20_000,
      ({ status, phase }) => status === 'in_progress' && phase === 'waiting',
    );
  }
}

describe('before the first POST', () => {
  test.each<[string, Partial<Fault>]>([
    ['shows nothing', { do: 'partial', keep: 0 }],
    ['lacks its newest', { do: 'partial', keep: 1 }],
    ['says that there is another page', { do: 'page', keep: 1 }],
    ['is old', { do: 'stale', ms: 600_000 }],
  ])('a list that %s is not believed: the onboard that is there is adopted', async (_, fault) => {
    await givenListed();
    const { id } = await world.elsewhere({});
    await world.faults({ on: 'GET', when: 'before', do: 'partial', times: 2, ...fault });
    expect(await world.create()).toMatchObject({ record: { id } });
    expect((await world.state()).ledger.map(({ outcome }) => outcome)).toEqual(['adopted']);
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });

  test('a worker that has just started knows from Temporal what the list has shown', async () => {
    await givenListed();
    const { id } = await world.elsewhere({});
    while ((await world.onboards.lists.known(5)).filter(({ isListed }) => isListed).length < 2)
      await new Promise((resolve) => setTimeout(resolve, 50));
    await world.restartWorker();
    await world.faults({ on: 'GET', when: 'before', do: 'partial', keep: 0, times: 2 });
    expect(await world.create()).toMatchObject({ record: { id } });
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });

  test('nor does it forget, by a look of its own, what the list has shown of those that were never moved', async () => {
    world = await World.start({ presence: false });
    for (const invitation_id of [newId(), newId()]) {
      await world.start({ invitation_id });
      await world.onboards.whenCreated({ invitation_id }, 20_000);
    }
    while ((await world.onboards.lists.known(5)).length < 2) await new Promise((resolve) => setTimeout(resolve, 50));
    await world.restartWorker();
    const { id } = await world.elsewhere({});
    await world.faults({ on: 'GET', when: 'before', do: 'partial', keep: 0, times: 2 });
    expect(await world.create()).toMatchObject({ record: { id } });
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });

  test('where the list lacks one for good, a person is told which, and says by its id that it is gone', async () => {
    await givenListed(1);
    const { record } = await world.onboards.get(invitations[0]!).state();
    await world.faults({ on: 'GET', when: 'before', do: 'partial', keep: 1, times: 10_000 });
    await world.start();
    const state = await attention('list_unreadable');
    expect(state.attention?.message).toContain(`does not show onboard ${record!.id}, which it has shown before`);
    expect(await world.effects()).toMatchObject({ posts: 0 });
    await world.send({ name: 'resolve', action: 'retry', by: 'ann' });
    await attention('list_unreadable');
    await expect(world.send({ name: 'resolve', action: 'retry', onboard_id: newId() })).rejects.toThrow(
      /must name an onboard that LeadConduit's list lacks/,
    );
    await world.send({ name: 'resolve', action: 'retry', onboard_id: record!.id, by: 'ann' });
    await world.until('created', ({ status }) => status === 'created');
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
    // Whoever has answered is not asked again, by no worker.
    await world.restartWorker();
    const next = { invitation_id: newId() };
    await world.start(next);
    const { timeline } = await world.onboards.whenCreated(next, 20_000);
    expect(timeline.map(({ event }) => event)).not.toContain('attention');
    expect(await world.effects(next.invitation_id)).toMatchObject({ posts: 1, creates: 1 });
  });
});

test('before a move: whoever is told that ours is not listed is told that others are not, too', async () => {
  await givenListed(2);
  const ours = invitations[0]!;
  await world.faults({ on: 'GET', when: 'before', do: 'partial', keep: 0, times: 10_000 });
  await world.onboards.get(ours).send({ name: 'advance', to: 'completed' });
  const asked = await world.onboards
    .get(ours)
    .follow(await world.onboards.get(ours).state(), 40_000, ({ attention }) => !!attention);
  expect(asked.attention?.code).toBe('not_listed');
  expect(asked.attention?.message).toMatch(/does not show 2 onboards, such as .*, which it has shown before/);
});

test('before a move: a list that lacks others and shows ours as it was accuses nobody, however long it stays so', async () => {
  const ours = { invitation_id: newId() };
  const longAgo = '2026-01-01T00:00:00.000Z';
  world = await World.start({ records: [{ ...newRecord(ours.invitation_id), updated_at: longAgo }] });
  const onboard = world.onboards.get(ours.invitation_id);
  const until = async (is: (state: OnboardView) => boolean) => onboard.follow(await onboard.state(), 20_000, is);
  await world.start(ours);
  await until(({ status }) => status === 'created');
  await onboard.send({ name: 'advance', to: 'in_progress' });
  await until(({ status, phase }) => status === 'in_progress' && phase === 'waiting');
  await world.faults({ on: 'GET', when: 'before', do: 'stale', ms: 600_000, times: 10_000 });
  await onboard.send({ name: 'advance', to: 'completed' });
  const asked = await until((state) => state.attention !== undefined);
  expect(asked).toMatchObject({ status: 'in_progress', attention: { code: 'list_unreadable' } });
  await world.mend();
  await until(({ phase }) => phase === 'done');
  expect(await world.effects(ours.invitation_id)).toMatchObject({ posts: 0, puts: 2, completes: 1 });
});

describe('after a lost answer', () => {
  test.each<[string, Partial<Fault>]>([
    ['pages', { do: 'page', keep: 2 }],
    ['leaves out what came last', { do: 'partial', keep: 2 }],
  ])('a list that %s never proves absence: nothing is sent again', async (_, fault) => {
    await givenListed();
    await world.faults(
      { on: 'POST', when: 'after', do: 'reset' },
      // The look before the call is a whole one.
      { on: 'GET', when: 'after', do: 'slow', ms: 0 },
      { on: 'GET', when: 'before', do: 'partial', times: 10_000, ...fault },
    );
    await world.start();
    await world.until('asked', (state) => state.attention !== undefined || state.record !== null);
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
    await world.mend();
    expect((await waiting()).ledger.map(({ outcome }) => outcome)).toEqual(['adopted']);
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });
});

describe('a list that takes long', () => {
  const slow = (times: number) => ({ on: 'GET', when: 'after', do: 'slow', ms: 5_500, times }) as const;

  test('is asked for once more: what another client did meanwhile is adopted', async () => {
    world = await World.start({ settings: { LEADCONDUIT_TIMEOUT: '9s' } });
    await world.faults(slow(1));
    await world.start();
    while ((await world.ledger()).calls.GET === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const { id } = await world.elsewhere({});
    expect((await world.until('created', ({ status }) => status !== null)).record).toMatchObject({ id });
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });

  test('each time is acted on all the same, and the timeline says what may have been missed', async () => {
    world = await World.start({ settings: { LEADCONDUIT_TIMEOUT: '9s' } });
    await world.faults(slow(2));
    await world.start();
    const state = await world.until('created', ({ status }) => status === 'created');
    expect(state.timeline).toContainEqual(expect.objectContaining({ event: 'slow_look' }));
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });
});

describe('a second onboard', () => {
  test('is told to its run by the look of any other onboard', async () => {
    await givenListed(1);
    await world.create();
    await world.elsewhere({});
    await world.start({ invitation_id: newId() });
    const state = await attention('duplicate');
    expect(state.timeline).toContainEqual(expect.objectContaining({ event: 'look_asked', by: 'the worker' }));
    const { timeline } = state;
    for (const invitation_id of [newId(), newId()]) {
      await world.start({ invitation_id });
      await world.onboards.whenCreated({ invitation_id }, 20_000);
    }
    // Told once, it is not told again.
    expect((await world.state()).timeline).toEqual(timeline);
  });

  test('that shows where nobody looks is found by a look of the worker’s own', async () => {
    world = await World.start();
    await world.create();
    await world.elsewhere({});
    const leadconduit = world.leadconduit();
    const stop = world.doubles.keepLooking(leadconduit, () => world.onboards.lists.isAnyOpen(), 200);
    await attention('duplicate');
    stop();
    leadconduit.close();
  });
});
