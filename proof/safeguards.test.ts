/** Safeguards that stand behind others, so that only what gets past those shows whether they are there. */
import { LeadConduitClient, type WireEvent } from '../src/leadconduit/client';
import type { OnboardView } from '../src/onboard/view';
import { World, type WorldOptions } from '../test/support/world';
import { Careless, useClient } from './support/careless';
import { Onboard } from './support/operators';

let world: World;
let onboard: Onboard;
const given = async (options: WorldOptions) => {
  world = await World.start(options);
  onboard = new Onboard(world);
};
afterEach(() => world.close());

const settled = () =>
  onboard.until('settled', ({ ledger: [entry] }) => entry !== undefined && entry.outcome !== 'pending');

test('one attempt: a call that fails unexpectedly is not run again by Temporal', async () => {
  await given({});
  await useClient(world, Careless);
  await world.faults({ on: 'POST', when: 'before', do: 'reset' });
  await onboard.start();
  const { ledger } = await settled();
  expect(ledger).toMatchObject([{ outcome: 'unknown', words: 'the attempt failed: a bug' }]);
  expect(await onboard.effects()).toMatchObject({ posts: 1 });
});

describe('signs of an earlier run: what the list does not show yet is not sent again', () => {
  const [THREE, HEARTBEAT] = [{ retryPolicy: { maximumAttempts: 3 } }, { resetHeartbeat: true }];

  test.each<[string, (call: Onboard) => Promise<unknown>]>([
    ['as a second attempt', (call) => call.updateOptions(THREE).then(() => world.mend())],
    ['as a first attempt that finds a mark', (call) => afterPause(call, () => call.unpause({ resetAttempts: true }))],
    ['as a first attempt without a mark', (call) => afterPause(call, () => call.resetActivity(HEARTBEAT))],
  ])('by an activity that Temporal runs again %s', async (_, use) => {
    await given({ settings: { ONBOARDS_SETTLE: '10s', LEADCONDUIT_TIMEOUT: '30s' } });
    await useClient(world, Careless);
    await world.emulate({ hide_created: true });
    await world.faults({ on: 'POST', when: 'after', do: 'hang' });
    await onboard.start();
    await onboard.sent('posts', 1);
    await use(onboard);
    const { ledger } = await settled();
    expect(ledger).toMatchObject([
      { outcome: 'unknown', words: 'this attempt was made before and may have sent its call' },
    ]);
    expect(await onboard.effects()).toMatchObject({ posts: 1, creates: 1 });
  });

  test('and where it sees two, its call is not booked as unsent either', async () => {
    await given({ settings: { LEADCONDUIT_TIMEOUT: '30s' } });
    await useClient(world, Careless);
    await world.faults({ on: 'POST', when: 'after', do: 'hang', invitation_id: world.invitation });
    onboard = new Onboard(world, world.invitation);
    await onboard.start();
    await onboard.sent('posts', 1);
    await world.elsewhere({});
    await onboard.updateOptions(THREE);
    await world.mend();
    const { ledger } = await onboard.until('duplicate', ({ attention }) => attention?.code === 'duplicate');
    expect(ledger).toMatchObject([
      { outcome: 'unknown', words: 'this attempt was made before and may have sent its call' },
    ]);
    expect(await onboard.effects()).toMatchObject({ posts: 2, creates: 2 });
  });

  async function afterPause(call: Onboard, then: () => Promise<unknown>): Promise<void> {
    await call.pause();
    await world.mend(); // lets go of the call
    await call.heldBack();
    await then();
  }
});

describe('the clock gate: a call whose connection is there only when too little time is left is not sent', () => {
  const freeze = (ms: number) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    return () => undefined;
  };
  /** The wall clock of this process; Temporal's goes on as it did. */
  const stepClock = (ms: number) => {
    const now = Date.now.bind(Date);
    const stepped = jest.spyOn(Date, 'now').mockImplementation(() => now() + ms);
    return () => stepped.mockRestore();
  };
  afterEach(() => jest.restoreAllMocks());

  // Of 12.5 s, the call needs 8 and the reserve 1: after 3.5 it is too late. The call itself gives up after 8.
  test.each<[string, () => () => void]>([
    ['by a worker that was frozen', () => freeze(4_500)],
    ['on a machine that was suspended, and its monotonic clock with it', () => stepClock(4_500)],
    [
      'by a worker whose clock was set back while it was frozen',
      () => {
        freeze(4_500);
        return stepClock(-4_500);
      },
    ],
  ])('%s', async (_, delay) => {
    await given({ settings: { LEADCONDUIT_TIMEOUT: '8s' }, policy: { attempt_ms: 12_500, backoff_ms: 3_000 } });
    let undo: (() => void) | undefined;
    const delayFirst = ({ operation, stage }: WireEvent) => {
      if (operation === 'create' && stage === 'connecting') undo ??= delay();
    };
    await useClient(world, LeadConduitClient, delayFirst);
    await onboard.start();
    const isTold = ({ timeline }: OnboardView) => timeline.some(({ event }) => ['not_sent', 'created'].includes(event));
    await onboard.until('told', isTold);
    undo?.(); // The next attempt's clocks go as they should.
    const { timeline } = await onboard.created();
    const said = timeline.filter(({ event }) => event === 'not_sent').map(({ detail }) => detail);
    expect(said).toEqual([expect.stringMatching(/^creating the onboard: too little time was left for a whole call/)]);
    expect(await onboard.effects()).toMatchObject({ posts: 1, creates: 1 });
  });
});
