/**
 * What operators can do to the run of an onboard, with Temporal's own tools: nothing is doubled, or, where that cannot be
 * prevented, an attention says `duplicate` and nothing more is sent. Three onboards for each row, at the same time.
 */
import { Writes } from '../src/activities/writes';
import { eventually, thrice, type Onboard, type Scene } from './operators';

/** The list may lag by less than this. */
const SETTLE = { settings: { ONBOARDS_SETTLE: '1500ms' } };
const ONE = { posts: 1, creates: 1 };
const LANDS_LATE = { when: 'before', do: 'slow', ms: 700 } as const;

const HANDS: Record<string, (onboard: Onboard) => Promise<unknown>> = {
  'reset to its first task': (onboard) => onboard.reset(),
  'reset by a batch': (onboard) => onboard.resetByBatch(),
  'terminated and started again': (onboard) => onboard.terminateAndStart(),
  'deleted and started again': (onboard) => onboard.deleteAndStart(),
};
const rows = Object.entries(HANDS);

describe('one create, when the run is', () => {
  test.concurrent.each(rows)('%s while the call is out', (_, act) =>
    thrice({ options: SETTLE, faults: [{ on: 'POST', ...LANDS_LATE }] }, async (onboard) => {
      await onboard.start();
      await onboard.sent('posts', 1);
      await act(onboard);
      const { timeline } = await onboard.created();
      expect(timeline.map(({ event }) => event)).toContain('adopted');
      expect(await onboard.effects()).toMatchObject(ONE);
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
  const scene: Scene = { options: SETTLE, from: 'in_progress', faults: [{ on: 'PUT', ...LANDS_LATE }] };
  const once = { puts: 2, completes: 1, emails: 1 };

  test.concurrent.each(rows)('%s while the call is out', (_, act) =>
    thrice(scene, async (onboard) => {
      await onboard.signal('advance', { to: 'completed' });
      await onboard.sent('puts', 2);
      await act(onboard);
      await isBegunAnew(onboard);
      // A new run knows nothing of what was asked of the last one.
      await onboard.signal('advance', { to: 'completed' }).catch(() => undefined);
      await onboard.until('done', ({ phase }) => phase === 'done');
      expect(await onboard.effects()).toMatchObject(once);
    }),
  );

  test.concurrent.each(rows.filter(([name]) => !name.startsWith('terminated')))('%s afterwards', (_, act) =>
    thrice({ ...scene, faults: [] }, async (onboard) => {
      await onboard.send({ name: 'advance', to: 'completed' });
      await onboard.until('done', ({ phase }) => phase === 'done');
      await act(onboard);
      await isBegunAnew(onboard);
      await onboard.until('done', ({ phase }) => phase === 'done');
      expect(await onboard.effects()).toMatchObject(once);
    }),
  );
});

/** What one worker process knows of the calls that it has out, another does not: here it is as if each had its own. */
describe('while the call is out on another worker, when the run is', () => {
  class Unaware extends Writes {
    override blockedMs = () => 0;
  }
  const scene: Scene = {
    options: {
      settings: { LEADCONDUIT_TIMEOUT: '5s', ONBOARDS_SETTLE: '5s' },
      deps: { writes: new Unaware() },
      policy: { attempt_ms: 10_000 },
    },
    faults: [{ on: 'POST', when: 'before', do: 'slow', ms: 4_000 }],
  };
  const isDeleted = ([name]: (typeof rows)[number]) => name.startsWith('deleted');

  test.concurrent.each(rows.filter((row) => !isDeleted(row)))('%s: one create', (_, act) =>
    thrice(scene, async (onboard) => {
      await onboard.start();
      await onboard.sent('posts', 1);
      await act(onboard);
      await onboard.created();
      expect(await onboard.effects()).toMatchObject(ONE);
    }),
  );

  // Nothing is left from which the new run could know of an earlier one: the next look says it.
  test.concurrent.each(rows.filter(isDeleted))('%s: a duplicate, said before anything more is sent', (_, act) =>
    thrice(scene, async (onboard) => {
      await onboard.start();
      await onboard.sent('posts', 1);
      await act(onboard);
      await onboard.created();
      await eventually('landed', async () => (await onboard.effects()).creates === 2);
      await onboard.signal('advance', { to: 'completed' });
      await onboard.until('duplicate', ({ attention }) => attention?.code === 'duplicate');
      expect(await onboard.effects()).toMatchObject({ posts: 2, creates: 2, puts: 0 });
    }),
  );
});

/** Until the run that followed has taken what was there, and has looked once more where it knows of an earlier run. */
async function isBegunAnew(onboard: Onboard): Promise<void> {
  const { timeline } = await onboard.until('begun anew', (state) =>
    state.timeline.some(({ event }) => event === 'adopted'),
  );
  expect(timeline.map(({ event }) => event)).not.toContain('created');
}
