/**
 * Faults × steps × before and after the effect: what the onboard goes through, what the ledger says, what LeadConduit was
 * made to do, and what a person had to do. Every expectation stands here, written down before it was tried.
 */
import type { AttentionCode } from '../src/onboard/attention';
import type { LedgerEntry, TimelineEvent } from '../src/onboard/journal';
import type { Phase } from '../src/onboard/view';
import { newId, World, type Fault } from '../test/support/world';
import { Onboard } from './support/operators';

type Ill = Pick<Fault, 'do' | 'status' | 'ms'>;
type When = Fault['when'];

/** Longer than the call's whole life, and landed before absence counts for good. */
const SLOW = { do: 'slow', ms: 3_300 } as const;
const FAULTS = {
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
} satisfies Record<string, Ill>;
type FaultName = keyof typeof FAULTS;
const NAMES = Object.keys(FAULTS) as FaultName[];

interface Expected {
  /** Of the timeline, what tells how it went on. */
  events: TimelineEvent[];
  /** All that it went through from this step on. */
  phases: Phase[];
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
  const isCreate = step === 'create';
  const acted = isCreate ? 'created' : 'moved';
  const found = isCreate ? 'adopted' : 'moved';
  const acting = isCreate ? 'creating' : 'updating';
  const isThere = when === 'after';
  const through = (...phases: Phase[]): Phase[] => [
    acting,
    ...phases,
    ...(step === 'completed' ? (['confirming', 'done'] as const) : (['waiting'] as const)),
  ];
  const seen: Expected = { events: ['unknown', found], phases: through('unknown'), outcomes: ['adopted'], calls: 1 };
  if (name === 'an answer that comes too late') return seen;
  // A completing call is never called unsent because of 429: it may be a gateway's.
  if (LOST.includes(name) || (name === '429' && step === 'completed')) {
    if (isThere) return seen;
    const again: Pick<Expected, 'outcomes' | 'calls'> = { outcomes: ['unknown', 'done'], calls: 2 };
    if (step !== 'completed')
      return { ...again, events: ['unknown', 'repeated', acted], phases: through('unknown', acting) };
    return {
      ...again,
      events: ['unknown', 'attention', 'moved'],
      phases: through('unknown', 'attention', acting),
      asked: 'unknown_outcome',
    };
  }
  if (name === '429')
    return isThere
      ? { events: ['not_sent', found], phases: through(), outcomes: ['not_sent', 'adopted'], calls: 1 }
      : { events: ['not_sent', acted], phases: through(), outcomes: ['not_sent', 'done'], calls: 2 };
  if (KEY.includes(name))
    return isThere
      ? { events: ['attention', found], phases: through('attention'), outcomes: ['refused', 'adopted'], calls: 1 }
      : { events: ['attention', acted], phases: through('attention'), outcomes: ['refused', 'done'], calls: 2 };
  const ordered: Expected = {
    events: ['refused', 'attention', isThere ? found : acted],
    phases: through('attention', acting),
    outcomes: ['refused', isThere ? 'adopted' : 'done'],
    calls: isThere ? 1 : 2,
    asked: 'refused',
  };
  if (REFUSED.includes(name)) return ordered;
  // 409: "it exists" is looked for at once.
  return isThere
    ? { ...seen, events: ['refused', found] }
    : { ...ordered, phases: through('unknown', 'attention', acting) };
}

/** Many calls hang at the same time; none may keep another from its place. */
const settings = { LEADCONDUIT_MAX_CONCURRENCY: '40', LEADCONDUIT_TIMEOUT: '3s', ONBOARDS_SETTLE: '400ms' };
const before = {
  create: { events: 0, phases: [] },
  in_progress: { events: 1, phases: ['creating', 'waiting'] },
  completed: { events: 2, phases: ['creating', 'waiting', 'updating', 'waiting'] },
};
const rows = STEPS.flatMap((step) =>
  NAMES.flatMap((name) => (['before', 'after'] as const).map((when) => [step, name, when, newId()] as const)),
);

/** All faults of a step are planned before anything is sent: those of one row must not meet the planning of another. */
async function given(step: Step): Promise<World> {
  const world = await World.start({ settings });
  const faults = rows
    .filter(([of]) => of === step)
    .flatMap(([, name, when, invitation_id]): Fault[] => {
      const fault: Fault = { on: step === 'create' ? 'POST' : 'PUT', when, ...FAULTS[name], invitation_id };
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
  const { events, phases, outcomes, calls, asked } = expected(step, name, when);
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
    events: told.slice(before[step].events),
    phases: await onboard.phases(),
    outcomes: ledger.filter(({ effect }) => effect === step).map(({ outcome }) => outcome),
    attention,
  }).toEqual({ events, phases: [...before[step].phases, ...phases], outcomes, attention: undefined });
  const effects = await onboard.effects();
  expect({ posts: effects.posts - earlier.posts, puts: effects.puts - earlier.puts }).toEqual(
    step === 'create' ? { posts: calls, puts: 0 } : { posts: 0, puts: calls },
  );
  const completions = step === 'completed' ? 1 : 0;
  expect(effects).toMatchObject({ creates: 1, completes: completions, emails: completions });
});

/** Where nothing is wrong. */
const ACTING: Record<Step, Pick<Expected, 'events' | 'phases'>> = {
  create: { events: ['created'], phases: ['creating', 'waiting'] },
  in_progress: { events: ['moved'], phases: ['updating', 'waiting'] },
  completed: { events: ['moved'], phases: ['updating', 'confirming', 'done'] },
};
/** A look has no effect: whatever is wrong with it, nothing is sent until one tells something; a call not due is no entry. */
function expectedOfLook(step: Step, name: FaultName): Expected {
  const { events, phases } = ACTING[step];
  const [acting, ...rest] = phases as [Phase, ...Phase[]];
  // Refused at the look, the key is no reason to call the write refused: nothing was sent.
  if (KEY.includes(name))
    return { events: ['attention', ...events], phases: [acting, 'attention', ...rest], outcomes: ['done'], calls: 1 };
  // Before the create nothing is missing from a list about others; before a move our own onboard is.
  const isTold = name === 'an answer about others' && step === 'create';
  return { events: isTold ? events : ['not_sent', ...events], phases, outcomes: ['done'], calls: 1 };
}

test.concurrent.each(NAMES)('the look before each step, %s', async (name) => {
  const world = await World.start({ settings });
  try {
    const onboard = new Onboard(world, world.invitation);
    const told = { events: 0, phases: 0 };
    for (const step of STEPS) {
      const earlier = await onboard.effects();
      await world.faults({ on: 'GET', when: 'before', ...FAULTS[name] });
      if (step === 'create') await onboard.start();
      else await onboard.signal('advance', { to: step });
      const target = step === 'create' ? 'created' : step;
      const { timeline, ledger, attention } = await onboard.until(
        target,
        ({ status, phase }) => status === target && ['waiting', 'done'].includes(phase),
      );
      expect(attention).toBeUndefined();
      const { posts, puts } = await onboard.effects();
      const events = timeline.map(({ event }) => event).filter((event) => TOLD.includes(event));
      const phases = await onboard.phases();
      expect({
        step,
        events: events.slice(told.events),
        phases: phases.slice(told.phases),
        outcomes: ledger.filter(({ effect }) => effect === step).map(({ outcome }) => outcome),
        calls: posts + puts - earlier.posts - earlier.puts,
      }).toEqual({ step, ...expectedOfLook(step, name) });
      Object.assign(told, { events: events.length, phases: phases.length });
    }
    expect(await onboard.effects()).toEqual({ posts: 1, creates: 1, puts: 2, completes: 1, emails: 1 });
  } finally {
    await world.close();
  }
});
