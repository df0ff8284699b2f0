/**
 * What operators can do to the run of an onboard, with Temporal's own tools: nothing is doubled, or, where that cannot be
 * prevented, an attention says `duplicate` and nothing more is sent. Three onboards for each row, at the same time.
 */
import { InFlightWrites } from '../src/activities/in-flight-writes';
import type { OnboardView } from '../src/onboard/view';
import { thrice, type Onboard, type Scene, type Together } from './support/operators';

/** The list may lag by less than this. A call is out until it is let go of. */
const SETTLE = { settings: { ONBOARDS_SETTLE: '1500ms', LEADCONDUIT_TIMEOUT: '30s' } };
const ONE = { posts: 1, creates: 1 };
const STAYS_OUT = { when: 'before', do: 'hang' } as const;

const HANDS: Record<string, (onboard: Onboard) => Promise<unknown>> = {
  'reset to its first task': (onboard) => onboard.reset(),
  'reset by a batch': (onboard) => onboard.resetByBatch(),
  'terminated and started again': (onboard) => onboard.terminateAndStart(),
  'deleted and started again': (onboard) => onboard.deleteAndStart(),
};
const rows = Object.entries(HANDS);

describe('one create, when the run is', () => {
  test.concurrent.each(rows)('%s while the call is out', (_, act) =>
    thrice({ options: SETTLE, faults: [{ on: 'POST', ...STAYS_OUT }] }, async (onboard, together) => {
      await onboard.start();
      await onboard.sent('posts', 1);
      await act(onboard);
      await isHeldUp(onboard, 'create');
      expect(await onboard.effects()).toMatchObject({ posts: 1, creates: 0 });
      await createLands(onboard, together);
      const { timeline } = await onboard.created();
      expect(timeline.map(({ event }) => event)).toContain('adopted');
      expect(await onboard.effects()).toMatchObject({ posts: 2, creates: 1 });
    }),
  );

  test.concurrent.each(rows)('%s afterwards', (_, act) =>
    thrice({ options: SETTLE, from: 'created' }, async (onboard) => {
      await act(onboard);
      await isBegunAnew(onboard);
      expect(await onboard.effects()).toMatchObject(ONE);
    }),
  );

  test.concurrent.each(rows)('%s right afterwards, while the list lags', (_, act) =>
    thrice({ options: SETTLE, lag_ms: 1_200 }, async (onboard) => {
      await onboard.start();
      await onboard.created();
      await act(onboard);
      await isBegunAnew(onboard);
      expect(await onboard.effects()).toMatchObject(ONE);
    }),
  );
});

describe('one completion, when the run is', () => {
  const scene: Scene = { options: SETTLE, from: 'in_progress', faults: [{ on: 'PUT', ...STAYS_OUT }] };
  const once = { completes: 1, emails: 1 };

  test.concurrent.each(rows)('%s while the call is out', (_, act) =>
    thrice(scene, async (onboard, together) => {
      const { record } = await onboard.answered();
      await onboard.signal('advance', { to: 'completed' });
      await onboard.sent('puts', 2);
      await act(onboard);
      await isBegunAnew(onboard);
      // A new run knows nothing of what was asked of the last one.
      await onboard.signal('advance', { to: 'completed' });
      await isHeldUp(onboard, 'completed');
      expect(await onboard.effects()).toMatchObject({ puts: 2, completes: 0 });
      await onboard.world.elsewhere({ ...record!, status: 'completed' });
      await letGo(onboard, together);
      await onboard.until('done', ({ phase }) => phase === 'done');
      expect(await onboard.effects()).toMatchObject({ puts: 3, ...once });
    }),
  );

  test.concurrent.each(rows.filter(([name]) => !name.startsWith('terminated')))('%s afterwards', (_, act) =>
    thrice({ ...scene, faults: [] }, async (onboard) => {
      await onboard.send({ name: 'advance', to: 'completed' });
      await onboard.until('done', ({ phase }) => phase === 'done');
      await act(onboard);
      await isBegunAnew(onboard);
      await onboard.until('done', ({ phase }) => phase === 'done');
      expect(await onboard.effects()).toMatchObject({ puts: 2, ...once });
    }),
  );
});

/** What one worker process knows of the calls that it has out, another does not: here it is as if each had its own. */
describe('while the call is out on another worker, when the run is', () => {
  class Unaware extends InFlightWrites {
    override blockedMs = () => 0;
  }
  const scene: Scene = {
    options: { ...SETTLE, deps: { writes: new Unaware() } },
    faults: [{ on: 'POST', ...STAYS_OUT }],
  };
  const isDeleted = ([name]: (typeof rows)[number]) => name.startsWith('deleted');

  test.concurrent.each(rows.filter((row) => !isDeleted(row)))('%s: one create', (_, act) =>
    thrice(scene, async (onboard, together) => {
      await onboard.start();
      await onboard.sent('posts', 1);
      await act(onboard);
      await isHeldUp(onboard, 'create');
      expect(await onboard.effects()).toMatchObject({ posts: 1, creates: 0 });
      await createLands(onboard, together);
      await onboard.created();
      expect(await onboard.effects()).toMatchObject({ posts: 2, creates: 1 });
    }),
  );

  // Nothing is left from which the new run could know of an earlier one: the next look says it.
  test.concurrent.each(rows.filter(isDeleted))('%s: a duplicate, said before anything more is sent', (_, act) =>
    thrice(scene, async (onboard, together) => {
      await onboard.start();
      await onboard.sent('posts', 1);
      await act(onboard);
      await onboard.created();
      expect(await onboard.effects()).toMatchObject({ posts: 2, creates: 1 });
      await createLands(onboard, together);
      await onboard.signal('advance', { to: 'completed' });
      await onboard.until('duplicate', ({ attention }) => attention?.code === 'duplicate');
      expect(await onboard.effects()).toMatchObject({ posts: 3, creates: 2, puts: 0 });
    }),
  );
});

/** Until the run that followed has come as far as the call that is out, and has not made it again. */
async function isHeldUp(onboard: Onboard, call: 'create' | 'completed'): Promise<void> {
  const outcomes = ['unknown', 'not_sent'];
  const isIt = ({ ledger }: OnboardView) => ledger.at(-1)?.effect === call && outcomes.includes(ledger.at(-1)!.outcome);
  await onboard.until('held up', isIt);
}

/** What the call that is out leaves behind, as if it had been under way until now. Counts as one more. */
async function createLands(onboard: Onboard, together: Together): Promise<void> {
  await onboard.world.elsewhere({ invitation_id: onboard.invitation });
  await letGo(onboard, together);
}
const letGo = ({ world }: Onboard, together: Together) => together(() => world.mend());

/** Until the run that followed has taken what was there, and has looked once more where it knows of an earlier run. */
async function isBegunAnew(onboard: Onboard): Promise<void> {
  const { timeline } = await onboard.until('begun anew', (state) =>
    state.timeline.some(({ event }) => event === 'adopted'),
  );
  expect(timeline.map(({ event }) => event)).not.toContain('created');
}
