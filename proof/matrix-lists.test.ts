/**
 * Lists that do not tell the truth × steps: a part of the list, one that says so, one of some time ago, one that was long
 * on its way. What counts is what LeadConduit was made to do.
 */
import type { LedgerEntry } from '../src/onboard/journal';
import { World, type Fault } from '../test/support/world';
import { eventually, Onboard } from './support/operators';

type Step = 'create' | 'in_progress' | 'completed';
const STEPS: Step[] = ['create', 'in_progress', 'completed'];
const LISTS = ['that lacks its newest', 'that says it is a part', 'of some time ago'] as const;
type List = (typeof LISTS)[number];
/** What a list of some time ago is older by than what another client has done since. */
const AGO_MS = 3_000;

/** No call is to take longer, on a busy machine either: what is tested are lists. */
const settings = { LEADCONDUIT_TIMEOUT: '10s', ONBOARDS_SETTLE: '400ms' };
const rows = STEPS.flatMap((step) => LISTS.map((list) => [step, list] as const));

/** @param since before what the list must not show */
const ill = (list: List, since: number, times: number): Fault => {
  const at = { on: 'GET', when: 'before', times } as const;
  if (list === 'of some time ago') return { ...at, do: 'stale', ms: Date.now() - since };
  return { ...at, do: list === 'that lacks its newest' ? 'partial' : 'page', keep: 1 };
};

/** An onboard that has everything before this step behind it. */
async function given(world: World, step: Step): Promise<Onboard> {
  const onboard = new Onboard(world);
  if (step === 'create') return onboard;
  await onboard.start();
  await onboard.created();
  if (step === 'completed') await onboard.toInProgress();
  return onboard;
}

/** Another onboard of ours, the newest: a list has shown it. */
async function showNewest(world: World): Promise<void> {
  const newest = await given(world, 'completed');
  await newest.until('listed', ({ status }) => status === 'in_progress');
}

/** Another client does what this step is to do. */
async function doElsewhere({ world, invitation, state }: Onboard, step: Step): Promise<void> {
  const { record } = step === 'create' ? { record: null } : await state();
  await world.elsewhere(record ? { ...record, status: step } : { invitation_id: invitation });
}

const act = (onboard: Onboard, step: Step) =>
  step === 'create' ? onboard.start() : onboard.signal('advance', { to: step });

const arrived = (onboard: Onboard, step: Step) =>
  onboard.until(
    step,
    ({ status, phase }) => status === (step === 'create' ? 'created' : step) && ['waiting', 'done'].includes(phase),
  );
const outcomesOf = ({ ledger }: { ledger: LedgerEntry[] }, step: Step) =>
  ledger.filter(({ effect }) => effect === step).map(({ outcome }) => outcome);

/** Everything that was made of an onboard in LeadConduit until this step was done, by whoever. */
const all = (step: Step) => {
  const moves = STEPS.indexOf(step);
  const completions = moves === 2 ? 1 : 0;
  return { posts: 1, creates: 1, puts: moves, completes: completions, emails: completions };
};

/** Frees the world also where the play fails. */
async function inWorld(play: (world: World) => Promise<void>, own: Record<string, string> = {}): Promise<void> {
  const world = await World.start({ settings: { ...settings, ...own } });
  try {
    await play(world);
  } finally {
    await world.close();
  }
}

test.concurrent.each(rows)('%s, by a list %s: what another client has done is not done again', (step, list) =>
  inWorld(async (world) => {
    const onboard = await given(world, step);
    const since = Date.now();
    await eventually('some time ago', () => Promise.resolve(Date.now() > since + AGO_MS));
    await doElsewhere(onboard, step);
    await showNewest(world);
    await world.faults(ill(list, since, 2));
    await act(onboard, step);
    const state = await arrived(onboard, step);
    expect({ outcomes: outcomesOf(state, step), attention: state.attention }).toEqual({ outcomes: ['adopted'] });
    expect(await onboard.effects()).toEqual(all(step));
  }),
);

const lost = rows.flatMap(([step, list]) => (['before', 'after'] as const).map((when) => [step, when, list] as const));

test.concurrent.each(lost)('%s, its answer lost %s the effect, then lists %s: done once', (step, when, list) =>
  inWorld(async (world) => {
    const onboard = await given(world, step);
    await showNewest(world);
    await world.faults(
      { on: step === 'create' ? 'POST' : 'PUT', when, do: 'reset', invitation_id: onboard.invitation },
      // The look before the call is a whole one.
      { on: 'GET', when: 'after', do: 'slow', ms: 0 },
      ill(list, Date.now() - 600_000, 4),
    );
    await act(onboard, step);
    if (step === 'completed' && when === 'before') {
      await onboard.until('asked', ({ attention }) => attention?.code === 'unknown_outcome');
      expect(await onboard.effects()).toMatchObject({ puts: 2, completes: 0 });
      await onboard.send({ name: 'resolve', action: 'retry' });
    }
    const state = await arrived(onboard, step);
    const calls = when === 'before' ? 1 : 0;
    expect({ outcomes: outcomesOf(state, step), attention: state.attention }).toEqual({
      outcomes: when === 'before' ? ['unknown', 'done'] : ['adopted'],
    });
    const { posts, puts, ...effects } = all(step);
    const isCreate = step === 'create';
    expect(await onboard.effects()).toEqual({
      ...effects,
      posts: posts + (isCreate ? calls : 0),
      puts: puts + (isCreate ? 0 : calls),
    });
  }),
);

test.concurrent.each([
  ['that lacks what was listed since', true],
  ['that says nothing against itself', false],
])('after the completing call, a list of some time ago %s accuses nobody', (_, isNewestListed) =>
  inWorld(
    async (world) => {
      const onboard = await given(world, 'completed');
      const since = Date.now();
      await eventually('some time ago', () => Promise.resolve(Date.now() > since + AGO_MS + 2_000));
      if (isNewestListed) await showNewest(world);
      await world.faults(
        { on: 'GET', when: 'after', do: 'slow', ms: 0 },
        { on: 'GET', when: 'before', do: 'stale', ms: AGO_MS },
      );
      await act(onboard, 'completed');
      const { timeline } = await onboard.until('done', ({ phase }) => phase === 'done');
      expect(timeline.filter(({ event }) => event === 'attention')).toEqual([]);
      expect(await onboard.effects()).toEqual(all('completed'));
    },
    { ONBOARDS_CONFIRM: '500ms' },
  ),
);

describe('a list that was on its way for longer than it may be relied on', () => {
  const slow = (times: number) => ({ on: 'GET', when: 'after', do: 'slow', ms: 5_500, times }) as const;

  test.concurrent.each(STEPS)(
    '%s: is asked for again, and what another client did meanwhile is not done again',
    (step) =>
      inWorld(async (world) => {
        const onboard = await given(world, step);
        await world.faults(slow(1));
        const { calls } = await world.ledger();
        await act(onboard, step);
        await eventually('looking', async () => (await world.ledger()).calls.GET > calls.GET);
        await doElsewhere(onboard, step);
        expect(outcomesOf(await arrived(onboard, step), step)).toEqual(['adopted']);
        expect(await onboard.effects()).toEqual(all(step));
      }),
  );

  test.concurrent.each(STEPS)('%s: twice in a row, it is acted on, and the timeline says so', (step) =>
    inWorld(async (world) => {
      const onboard = await given(world, step);
      await world.faults(slow(2));
      await act(onboard, step);
      const state = await arrived(onboard, step);
      expect(outcomesOf(state, step)).toEqual(['done']);
      expect(state.timeline).toContainEqual(expect.objectContaining({ event: 'slow_look' }));
      expect(await onboard.effects()).toEqual(all(step));
    }),
  );
});
