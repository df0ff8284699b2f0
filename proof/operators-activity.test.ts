/**
 * What operators can do, with Temporal's own tools, to a call that is out: it is not sent twice, even where Temporal runs
 * the activity again. Three onboards for each row, all of one fate in one world and at the same time.
 */
import type { PhaseEvent } from '../src/leadconduit/client';
import type { OnboardState } from '../src/workflows/messages';
import { World, type Fault } from '../test/support/world';
import { Careless, useClient } from './careless';
import { Onboard } from './operators';

const THREE = { retryPolicy: { maximumAttempts: 3 } };
const ALL = { resetAttempts: true, resetHeartbeat: true };
const RESTORED = { resetHeartbeat: true, restoreOriginalOptions: true };

interface Tool {
  /** Whether Temporal runs the activity again, once the run that is out has failed; with time for a look. */
  again?: boolean;
  use: (call: Onboard) => Promise<unknown>;
}
const TOOLS: Record<string, Tool> = {
  'paused and unpaused': { again: false, use: (call) => call.pause().then(() => call.unpause()) },
  'paused, and unpaused later': { again: true, use: (call) => afterPause(call, () => call.unpause()) },
  'paused, and unpaused with attempts and heartbeats reset': {
    again: true,
    use: (call) => afterPause(call, () => call.unpause(ALL)),
  },
  'paused and reset': { again: false, use: (call) => call.pause().then(() => call.resetActivity()) },
  'paused, and reset later': { again: true, use: (call) => afterPause(call, () => call.resetActivity()) },
  'paused, and reset later with heartbeats and options': {
    again: true,
    use: (call) => afterPause(call, () => call.resetActivity(RESTORED)),
  },
  'reset with heartbeats and options': { again: false, use: (call) => call.resetActivity(RESTORED) },
  'given three attempts': { again: true, use: (call) => call.updateOptions(THREE) },
  'given three attempts and a longer time': {
    again: true,
    use: (call) => call.updateOptions({ ...THREE, startToCloseTimeout: { seconds: 60 } }),
  },
  'given three attempts and too short a time': {
    use: (call) => call.updateOptions({ ...THREE, startToCloseTimeout: { seconds: 1 } }),
  },
  'given three attempts and reset with heartbeats': {
    again: true,
    use: (call) => call.updateOptions(THREE).then(() => call.resetActivity({ resetHeartbeat: true })),
  },
};

async function afterPause(call: Onboard, then: () => Promise<unknown>): Promise<void> {
  await call.pause();
  await call.heldBack();
  await then();
}

interface Fate {
  call: 'create' | 'completed';
  fault: Fault;
  lag_ms?: number;
  settle?: string;
  ends: (state: OnboardState) => boolean;
  /** What the ledger says of the call. */
  outcomes: string[];
  effects: object;
}
const isCreated = ({ status, phase }: OnboardState) => status === 'created' && phase === 'waiting';
const isDone = ({ phase }: OnboardState) => phase === 'done';
const FATES: Record<string, Fate> = {
  'a create that took effect': {
    call: 'create',
    fault: { on: 'POST', when: 'after', do: 'hang' },
    ends: isCreated,
    outcomes: ['adopted'],
    effects: { posts: 1, creates: 1 },
  },
  'a create that took effect, which the list shows late': {
    call: 'create',
    fault: { on: 'POST', when: 'after', do: 'hang' },
    lag_ms: 10_000,
    settle: '1500ms',
    ends: isCreated,
    outcomes: ['adopted'],
    effects: { posts: 1, creates: 1 },
  },
  'a create that came to nothing': {
    call: 'create',
    fault: { on: 'POST', when: 'before', do: 'hang' },
    ends: isCreated,
    outcomes: ['unknown', 'done'],
    effects: { posts: 2, creates: 1 },
  },
  'a completing call that took effect': {
    call: 'completed',
    fault: { on: 'PUT', when: 'after', do: 'hang' },
    ends: isDone,
    outcomes: ['adopted'],
    effects: { puts: 2, completes: 1, emails: 1 },
  },
  'a completing call that came to nothing': {
    call: 'completed',
    fault: { on: 'PUT', when: 'before', do: 'hang' },
    ends: ({ attention }) => attention?.code === 'unknown_outcome',
    outcomes: ['unknown'],
    effects: { puts: 2, completes: 0, emails: 0 },
  },
};

/** All tools at once, each on three onboards. Returns when they have been used. */
async function play({ call, fault, lag_ms = 0, settle = '250ms', ends }: Fate) {
  const out = new Map<string, () => void>();
  const onPhase = ({ operation, phase, invitationId = '' }: PhaseEvent) => {
    if (operation !== 'look' && phase === 'sent') out.get(invitationId)?.();
  };
  const settings = { LEADCONDUIT_TIMEOUT: '2s', LEADCONDUIT_MAX_CONCURRENCY: '100', ONBOARDS_SETTLE: settle };
  const world = await World.start({ settings, policy: { attempt_ms: 6_000 } });
  await useClient(world, Careless, onPhase);
  await world.emulate({ lag_ms });
  const used = Object.entries(TOOLS).flatMap(([name, { use }]) =>
    [1, 2, 3].map(() => ({ name, use, onboard: new Onboard(world) })),
  );
  const prepare = async ({ onboard }: { onboard: Onboard }) => {
    await onboard.start();
    await onboard.created();
    await onboard.toInProgress();
  };
  if (call === 'completed') await Promise.all(used.map(prepare));
  await world.faults(...used.map(({ onboard }) => ({ ...fault, invitation_id: onboard.invitation })));
  const plays = used.map(async ({ name, use, onboard }) => {
    const isOut = new Promise<void>((resolve) => out.set(onboard.invitation, resolve));
    await (call === 'create' ? onboard.start() : onboard.signal('advance', { to: 'completed' }));
    await isOut;
    await use(onboard);
    const end = onboard
      .until(`ended, ${name}`, ends)
      .then(async (state) => ({ state, effects: await onboard.effects() }));
    end.catch(() => undefined);
    return { name, end };
  });
  return { world, plays: await Promise.all(plays) };
}

const played = new Map<string, Awaited<ReturnType<typeof play>>>();
beforeAll(async () => {
  for (const [name, fate] of Object.entries(FATES)) played.set(name, await play(fate));
});
afterAll(() => Promise.all([...played.values()].map(({ world }) => world.close())));

describe.each(Object.entries(FATES))('%s', (name, fate) => {
  test.each(Object.entries(TOOLS))('%s', async (tool, { again }) => {
    const mine = played.get(name)?.plays.filter((one) => one.name === tool) ?? [];
    expect(mine).toHaveLength(3);
    for (const { state, effects } of await Promise.all(mine.map(({ end }) => end))) {
      const entries = state.ledger.filter(({ effect }) => effect === fate.call);
      expect(entries.map(({ outcome }) => outcome)).toEqual(fate.outcomes);
      expect(effects).toMatchObject(fate.effects);
      // Who told it: the second run of the activity, or the workflow, which saw the first one fail.
      const unknown = state.timeline.filter(({ event }) => event === 'unknown').map(({ detail }) => detail);
      const isListed = fate.outcomes[0] === 'adopted' && fate.lag_ms === undefined;
      if (again === true && !isListed) expect(unknown).toHaveLength(1);
      for (const detail of again === true ? unknown : []) expect(detail).toContain('this attempt was made before');
      if (again === false) expect(unknown).toEqual([expect.stringContaining('the attempt failed: a bug')]);
    }
  });
});
