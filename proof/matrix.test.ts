/**
 * Faults × steps × before and after the effect: what the onboard goes through, what the ledger says, what LeadConduit was
 * made to do, and what a person had to do. Every expectation stands here, written down before it was tried.
 */
import type { AttentionCode, LedgerEntry, TimelineEvent } from '../src/workflows/messages';
import { newId, World, type Fault } from '../test/support/world';
import { Onboard } from './operators';

type Ill = Pick<Fault, 'do' | 'status' | 'ms'>;
type When = Fault['when'];

/** Longer than the call's whole life of 1 s, and landed before absence counts for good. */
const SLOW = { do: 'slow', ms: 1_300 } as const;
const FAULTS: Record<string, Ill> = {
  'a reset': { do: 'reset' },
  'no answer': { do: 'hang' },
  'an answer that comes too late': SLOW,
  '500': { do: 'status', status: 500 },
  '503': { do: 'status', status: 503 },
  '408': { do: 'status', status: 408 },
  'HTML of a gateway': { do: 'html' },
  'an answer that is cut off': { do: 'truncate' },
  'an answer about others': { do: 'foreign' },
  '429': { do: 'status', status: 429 },
  '307': { do: 'status', status: 307 },
  '404': { do: 'status', status: 404 },
  '422': { do: 'status', status: 422 },
  '409': { do: 'status', status: 409 },
  '401': { do: 'status', status: 401 },
  '403': { do: 'status', status: 403 },
};
type FaultName = keyof typeof FAULTS;

interface Expected {
  /** Of the timeline, what tells how it went on. */
  events: TimelineEvent[];
  /** Of the step's entries in the ledger. */
  outcomes: LedgerEntry['outcome'][];
  /** Calls that LeadConduit got for this step; its effect is always one. */
  calls: number;
  /** A person had to order `resolve retry`, shown this. */
  asked?: AttentionCode;
}
const TOLD: TimelineEvent[] = [
  'not_sent',
  'refused',
  'unknown',
  'repeated',
  'attention',
  'created',
  'adopted',
  'moved',
];

type Step = 'create' | 'in_progress' | 'completed';
const STEPS: Step[] = ['create', 'in_progress', 'completed'];
const LOST: FaultName[] = [
  'a reset',
  'no answer',
  '500',
  '503',
  '408',
  'HTML of a gateway',
  'an answer that is cut off',
  'an answer about others',
];
const REFUSED: FaultName[] = ['307', '404', '422'];
const KEY: FaultName[] = ['401', '403'];

/** The table, in words of design: lost, refused, the key, too many, "it exists". */
function expected(step: Step, name: FaultName, when: When): Expected {
  const acted = step === 'create' ? 'created' : 'moved';
  const found = step === 'create' ? 'adopted' : 'moved';
  const isThere = when === 'after';
  if (name === 'an answer that comes too late') return { events: ['unknown', found], outcomes: ['adopted'], calls: 1 };
  // A completing call is never called unsent because of 429: it may be a gateway's.
  if (LOST.includes(name) || (name === '429' && step === 'completed')) {
    if (isThere) return { events: ['unknown', found], outcomes: ['adopted'], calls: 1 };
    if (step === 'completed')
      return {
        events: ['unknown', 'attention', 'moved'],
        outcomes: ['unknown', 'done'],
        calls: 2,
        asked: 'unknown_outcome',
      };
    return { events: ['unknown', 'repeated', acted], outcomes: ['unknown', 'done'], calls: 2 };
  }
  if (name === '429')
    return isThere
      ? { events: ['not_sent', found], outcomes: ['not_sent', 'adopted'], calls: 1 }
      : { events: ['not_sent', acted], outcomes: ['not_sent', 'done'], calls: 2 };
  if (KEY.includes(name))
    return isThere
      ? { events: ['attention', found], outcomes: ['refused', 'adopted'], calls: 1 }
      : { events: ['attention', acted], outcomes: ['refused', 'done'], calls: 2 };
  if (REFUSED.includes(name))
    return isThere
      ? { events: ['refused', 'attention', found], outcomes: ['refused', 'adopted'], calls: 1, asked: 'refused' }
      : { events: ['refused', 'attention', acted], outcomes: ['refused', 'done'], calls: 2, asked: 'refused' };
  // 409: "it exists" is looked for at once.
  return isThere
    ? { events: ['refused', found], outcomes: ['adopted'], calls: 1 }
    : { events: ['refused', 'attention', acted], outcomes: ['refused', 'done'], calls: 2, asked: 'refused' };
}

/** Many calls hang at the same time; none may keep another from its place. */
const settings = { LEADCONDUIT_MAX_CONCURRENCY: '40' };
const before = { create: [], in_progress: ['created'], completed: ['created', 'in_progress'] } as const;
const rows = STEPS.flatMap((step) =>
  Object.keys(FAULTS).flatMap((name) =>
    (['before', 'after'] as const).map((when) => [step, name, when, newId()] as const),
  ),
);

/** All faults of a step are planned before anything is sent: those of one row must not meet the planning of another. */
async function given(step: Step): Promise<World> {
  const world = await World.start({ settings });
  const faults = rows
    .filter(([of]) => of === step)
    .flatMap(([, name, when, invitation_id]): Fault[] => {
      const fault: Fault = { on: step === 'create' ? 'POST' : 'PUT', when, ...FAULTS[name]!, invitation_id };
      const harmless: Fault = { on: 'PUT', when: 'after', do: 'slow', ms: 1, invitation_id };
      return step === 'completed' ? [harmless, fault] : [fault];
    });
  await world.faults(...faults);
  return world;
}
const worlds = new Map<Step, Promise<World>>();
const worldOf = (step: Step) => {
  const known = worlds.get(step) ?? given(step);
  worlds.set(step, known);
  return known;
};
afterAll(async () => {
  for (const world of worlds.values()) await (await world).close();
});

test.concurrent.each(rows)('%s, %s, %s the effect', async (step, name, when, invitation) => {
  const onboard = new Onboard(await worldOf(step), invitation);
  if (step !== 'create') {
    await onboard.start();
    await onboard.created();
  }
  if (step === 'completed') await onboard.toInProgress();
  const earlier = await onboard.effects();
  if (step === 'create') await onboard.start();
  else await onboard.signal('advance', { to: step });
  const { events, outcomes, calls, asked } = expected(step, name, when);
  if (asked !== undefined) {
    await onboard.until(asked, ({ attention }) => attention?.code === asked);
    await onboard.send({ name: 'resolve', action: 'retry' });
  }
  const target = step === 'create' ? 'created' : step;
  const { timeline, ledger, attention } = await onboard.until(
    target,
    ({ status, phase }) => status === target && ['waiting', 'done'].includes(phase),
  );
  const told = timeline.map(({ event }) => event).filter((event) => TOLD.includes(event));
  expect({
    events: told.slice(before[step].length),
    outcomes: ledger.filter(({ effect }) => effect === step).map(({ outcome }) => outcome),
    attention,
  }).toEqual({ events, outcomes, attention: undefined });
  const effects = await onboard.effects();
  expect({ posts: effects.posts - earlier.posts, puts: effects.puts - earlier.puts }).toEqual(
    step === 'create' ? { posts: calls, puts: 0 } : { posts: 0, puts: calls },
  );
  const completions = step === 'completed' ? 1 : 0;
  expect(effects).toMatchObject({ creates: 1, completes: completions, emails: completions });
});

/** A look has no effect: whatever is wrong with it, nothing is sent until one tells something; a call not due is no entry. */
const TOLD_NOTHING: Expected = { events: ['not_sent', 'created'], outcomes: ['done'], calls: 1 };
const ON_LOOKS: Record<FaultName, Expected> = {
  ...Object.fromEntries(Object.keys(FAULTS).map((name) => [name, TOLD_NOTHING])),
  'an answer about others': { events: ['created'], outcomes: ['done'], calls: 1 },
  '401': { events: ['attention', 'created'], outcomes: ['refused', 'done'], calls: 1 },
  '403': { events: ['attention', 'created'], outcomes: ['refused', 'done'], calls: 1 },
};

test.concurrent.each(Object.entries(ON_LOOKS))(
  'the look before the create, %s',
  async (name, { events, outcomes, calls }) => {
    const world = await World.start({ settings });
    try {
      await world.faults({ on: 'GET', when: 'before', ...FAULTS[name]! });
      await world.start();
      const { timeline, ledger } = await world.until(
        'created',
        ({ status, phase }) => status === 'created' && phase === 'waiting',
      );
      expect(timeline.map(({ event }) => event).filter((event) => TOLD.includes(event))).toEqual(events);
      expect(ledger.map(({ outcome }) => outcome)).toEqual(outcomes);
      expect(await world.effects()).toMatchObject({ posts: calls, creates: 1 });
    } finally {
      await world.close();
    }
  },
);
