/**
 * Messages as operators send them: cancelled while a call is out, by our message and by Temporal's own cancel; and repeated
 * with the same key, also in the run that goes on after a continue-as-new. Three onboards for each row, at the same time.
 */
import type { OnboardView } from '../src/onboard/view';
import { continueAsNewServer } from '../test/support/continue-as-new-server';
import type { Fault } from '../test/support/world';
import { eventually, thrice, type Onboard, type Together } from './support/operators';

const CANCELS: Record<string, (onboard: Onboard) => Promise<unknown>> = {
  'our update': (onboard) => onboard.send({ name: 'cancel' }),
  'our signal': (onboard) => onboard.signal('cancel', {}),
  "Temporal's own cancel": (onboard) => onboard.handle.cancel(),
};
interface Fate {
  fault: Omit<Fault, 'on'>;
  /** The run that follows does not see its effect: what the earlier one did is for a person to decide. */
  isOrdered?: boolean;
}
const FATES: Record<string, Fate> = {
  'is answered': { fault: { when: 'after', do: 'slow', ms: 8_000 } },
  'takes effect, and the answer is lost': { fault: { when: 'after', do: 'hang' } },
  'comes to nothing': { fault: { when: 'before', do: 'hang' }, isOrdered: true },
};
const rows = Object.entries(CANCELS).flatMap(([by, cancel]) =>
  Object.entries(FATES).map(([fate, row]) => [by, fate, { cancel, ...row }] as const),
);
/** A call of 12 s, 5 s for what comes before it, and the reserve. */
const options = { settings: { LEADCONDUIT_TIMEOUT: '12s' }, policy: { attempt_ms: 18_000 } };
const isOut = async (onboard: Onboard) =>
  expect((await onboard.answered()).ledger.at(-1)).toMatchObject({ outcome: 'pending' });

const LOST_TWICE: Fault[] = [{ on: 'PUT', when: 'before', do: 'reset', times: 2 }];
const letGo = ({ world }: Onboard, together: Together) => together(() => world.mend());

async function startAgain(onboard: Onboard): Promise<void> {
  await onboard.until('cancelled', ({ phase }) => phase === 'cancelled');
  await eventually('ended', async () => (await onboard.handle.describe()).status.name === 'CANCELLED');
  await onboard.start();
}
async function order(onboard: Onboard): Promise<void> {
  await onboard.until('asked', ({ attention }) => attention?.code === 'unknown_outcome');
  await onboard.send({ name: 'resolve', action: 'retry' });
}

test.concurrent.each(rows)('cancelled by %s while a create is out that %s: one create', (_, __, row) =>
  thrice({ options, faults: [{ on: 'POST', ...row.fault }] }, async (onboard, together) => {
    await onboard.start();
    await onboard.sent('posts', 1);
    await isOut(onboard);
    await row.cancel(onboard);
    if (row.fault.do === 'hang') await letGo(onboard, together);
    await startAgain(onboard);
    if (row.isOrdered) await order(onboard);
    await onboard.created();
    expect(await onboard.effects()).toMatchObject({ posts: row.isOrdered ? 2 : 1, creates: 1 });
  }),
);

test.concurrent.each(rows)('cancelled by %s while a completing call is out that %s: one completion', (_, __, row) =>
  thrice({ options, from: 'in_progress', faults: [{ on: 'PUT', ...row.fault }] }, async (onboard, together) => {
    await onboard.signal('advance', { to: 'completed' });
    await onboard.sent('puts', 2);
    await isOut(onboard);
    await row.cancel(onboard);
    if (row.fault.do === 'hang') await letGo(onboard, together);
    await startAgain(onboard);
    await onboard.send({ name: 'advance', to: 'completed' });
    if (row.isOrdered) await order(onboard);
    await onboard.until('done', ({ phase }) => phase === 'done');
    expect(await onboard.effects()).toMatchObject({ puts: row.isOrdered ? 3 : 2, completes: 1, emails: 1 });
  }),
);

describe('with the same key, before and after a continue-as-new', () => {
  const server = continueAsNewServer(60);
  const continued = ({ timeline }: OnboardView) => timeline.filter(({ event }) => event === 'continued').length;
  /** Notes until its history is long enough to go on in a new run. */
  async function renew(onboard: Onboard): Promise<void> {
    const before = continued(await onboard.answered());
    // How many it takes is a matter of how many one task takes in.
    for (let sent = 0; continued(await onboard.answered()) === before; sent += 10)
      for (let n = 0; n < 10; n += 1) await onboard.signal('note', { text: 'called', key: `${before} ${sent + n}` });
  }
  const told = async (onboard: Onboard, ...events: string[]) =>
    (await onboard.answered()).timeline.map(({ event }) => event).filter((event) => events.includes(event));

  test('a message acts once', () =>
    thrice({ options: { address: server.address() }, from: 'created' }, async (onboard) => {
      const say = async () => {
        await onboard.send({ name: 'hold', key: 'hold' });
        await onboard.send({ name: 'release', key: 'release' });
        await onboard.signal('hold', { key: 'hold' });
        await onboard.signal('advance', { to: 'in_progress', key: 'on' });
        await onboard.send({ name: 'advance', to: 'in_progress', key: 'on' });
        await onboard.signal('note', { text: 'once', key: 'note' });
      };
      await say();
      await renew(onboard);
      await say();
      await renew(onboard);
      await say();
      expect(await told(onboard, 'held', 'released', 'advance_asked', 'moved')).toEqual([
        'held',
        'released',
        'advance_asked',
        'moved',
      ]);
      expect((await onboard.answered()).timeline.filter(({ detail }) => detail === 'once')).toHaveLength(1);
      expect(await onboard.effects()).toMatchObject({ posts: 1, creates: 1, puts: 1, completes: 0 });
    }));

  test('an order to repeat a completing call is one order', () =>
    thrice({ options: { address: server.address() }, from: 'in_progress', faults: LOST_TWICE }, async (onboard) => {
      const isAsked = (count: number) =>
        onboard.until('asked', ({ attention, ledger }) => {
          const lost = ledger.filter(({ effect, outcome }) => effect === 'completed' && outcome === 'unknown');
          return attention?.code === 'unknown_outcome' && lost.length === count;
        });
      const order = () => onboard.send({ name: 'resolve', action: 'retry', key: 'the-order' });
      await onboard.signal('advance', { to: 'completed' });
      await isAsked(1);
      await order();
      await isAsked(2);
      await renew(onboard);
      await order();
      await onboard.signal('resolve', { action: 'retry', key: 'the-order' });
      await renew(onboard);
      expect(await onboard.effects()).toMatchObject({ puts: 3, completes: 0, emails: 0 });
    }));
});
