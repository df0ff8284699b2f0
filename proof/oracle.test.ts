/** The judge of the crash runs must be able to say no: each check breaks on the one thing that it is about. */
import type { OnboardState } from '../src/workflows/messages';
import { coverage, judge, LOST, LOST_MALFORMED, WRONG, type Evidence } from './chaos/oracle';
import type { Said } from './chaos/people';
import { AMBIGUOUS, type Blow, type Fault } from './chaos/plan';

const ID = 'a'.repeat(24);
const AT = '2026-01-01T00:00:00.000Z';
const DONE_AT = '2026-01-01T00:01:00.000Z';
const GONE = 'creating the onboard: the worker that made the call was not heard of again';
const KILL: Blow = { at: 0, do: 'kill', worker: 0 };

/** Answered while its run still went on. */
const said = (deed: object, ...answers: Said['answers']) =>
  ({
    invitation_id: ID,
    deed: { at: 0, times: answers.length, ...deed },
    answers,
    answeredAt: answers.map(() => Date.parse(DONE_AT) - 1),
  }) as Said;
const lines = (...told: object[]) => told.map((line) => ({ at: AT, ...line })) as OnboardState['timeline'];
const five = <T>(of: (n: number) => T) => Array.from({ length: 5 }, (_, n) => of(n));

/** A run of one onboard in which everything is as it should be. */
function sound() {
  const state = {
    phase: 'done',
    status: 'completed',
    record: { id: 'b', invitation_id: ID, status: 'completed' },
    ledger: [{ n: 1, effect: 'create', intended_at: AT, outcome: 'done', settled_at: AT }],
    timeline: lines(
      ...five(() => [{ event: 'unknown', detail: GONE }, { event: 'adopted' }]).flat(),
      ...five(() => [{ event: 'unknown', detail: GONE }, { event: 'absent' }]).flat(),
      { event: 'advance_asked', by: '1-1', detail: 'completed' },
      { event: 'advance_asked', by: '1-2', detail: 'completed' },
      { event: 'message_refused', by: '1-2' },
      { event: 'note', by: '1-3' },
      { event: 'message_refused' },
      { event: 'done', at: DONE_AT },
    ),
  } as unknown as OnboardState;
  const faults = AMBIGUOUS.flatMap((kind) =>
    (['before', 'after'] as const).flatMap((when) =>
      five((): Fault => ({ on: 'POST', when, do: kind, invitation_id: ID })),
    ),
  );
  const evidence: Evidence = {
    lives: [{ invitation_id: ID, at: 0, goal: 'completed', door: 'client', deeds: [] }],
    said: [
      said({ do: 'advance', to: 'completed', as: 'update', key: '1-1' }, 'accepted', 'accepted'),
      said({ do: 'advance', to: 'completed', as: 'signal', key: '1-2' }, 'accepted', 'accepted'),
      said({ do: 'note', key: '1-3' }, 'accepted'),
      {
        ...said({ do: 'advance', to: 'completed', as: 'update', key: '1-5' }, 'accepted'),
        answeredAt: [Date.parse(DONE_AT)],
      },
      said({ do: 'malformed', key: '1-4', name: 'frobnicate', payload: {} }, 'accepted'),
    ],
    runs: new Map([[ID, [state]]]),
    ledger: { [ID]: { posts: 1, creates: 1, puts: 2, completes: 1, emails: 1 } },
    list: [{ id: 'b', invitation_id: ID, status: 'completed' }],
    faults: { planned: faults, left: [] },
    blows: { planned: [KILL], dealt: [KILL], inHand: [...Array<number>(9).fill(0), 1] },
    deserted: 0,
    silent: [],
  };
  return { evidence, state, effects: evidence.ledger[ID]! };
}
const broken = (evidence: Evidence) => judge(evidence).flatMap(({ name, passed }) => (passed ? [] : [name]));

test('a sound run is kept', () => {
  expect(broken(sound().evidence)).toEqual([]);
});

type Spoil = (run: ReturnType<typeof sound>) => unknown;
const without =
  (by: string): Spoil =>
  ({ state }) =>
    (state.timeline = state.timeline.filter((line) => line.by !== by));
const COVERAGE = 'each ambiguous fault was met 5 times or more in either way';

test.each<[string, string, Spoil]>([
  ['a second create', 'no invitation has two onboards', ({ effects }) => (effects.creates = 2)],
  ['a second one in the list', 'no invitation has two onboards', ({ evidence: { list } }) => list.push(list[0]!)],
  ['a second e-mail', 'one e-mail for each completion', ({ effects }) => (effects.emails = 2)],
  ['one that waits', 'every onboard got to where it was sent', ({ state }) => (state.phase = 'waiting')],
  [
    'a call without outcome',
    'no call is left without an outcome',
    ({ state }) => (state.ledger[0]!.outcome = 'pending'),
  ],
  ['another status there', WRONG, ({ evidence }) => (evidence.list[0]!.status = 'in_progress')],
  ['an order that left no line', LOST, without('1-1')],
  [
    'an order answered before the end that left no line',
    LOST,
    ({ evidence }) => (evidence.said.at(-2)!.answeredAt = [Date.parse(DONE_AT) - 1]),
  ],
  ['a signal that left no line', LOST, without('1-2')],
  ['a note that left no line', LOST, without('1-3')],
  ['a note twice', LOST, ({ state }) => state.timeline.push(...lines({ event: 'note', by: '1-3' }))],
  [
    'a refused message that acted',
    LOST,
    ({ evidence }) => evidence.said.push({ ...evidence.said[2]!, answers: ['refused'] }),
  ],
  [
    'a false alarm',
    'nobody was asked about what had not happened',
    ({ state }) => state.timeline.push(...lines({ event: 'attention', detail: 'duplicate: two of them' })),
  ],
  ['malformed, and no line', LOST_MALFORMED, ({ state }) => state.timeline.splice(-2, 1)],
  ['a run that does not answer', 'every run answers a query', ({ evidence }) => evidence.silent.push(ID)],
  ['a process that ended', 'no process ended that nobody had struck', ({ evidence }) => (evidence.deserted = 1)],
  ['a kill of nobody', 'every blow that was planned met somebody', ({ evidence: { blows } }) => blows.dealt.pop()],
  [
    'idle zombies',
    'of 10 zombies or more, one woke up with a write in hand',
    ({ evidence: { blows } }) => (blows.inHand[9] = 0),
  ],
  ['a fault not met', COVERAGE, ({ evidence: { faults } }) => faults.left.push(faults.planned[0]!)],
  ['no worker lost', COVERAGE, ({ state }) => (state.timeline = state.timeline.slice(1))],
])('%s: %s', (_, check, spoil) => {
  const run = sound();
  spoil(run);
  expect(broken(run.evidence)).toEqual([check]);
});

test('nothing is counted that did not happen: a slow call has its effect, early or late', () => {
  const { slow, hang } = coverage(sound().evidence);
  expect(slow).toEqual({ with_early_effect: 5, with_late_effect: 5 });
  expect(hang).toEqual({ without_effect: 5, with_effect: 5 });
});

test('a second completion: no onboard was completed twice, and it did not get where it was sent', () => {
  const { evidence, effects } = sound();
  Object.assign(effects, { completes: 2, emails: 2 });
  expect(broken(evidence)).toEqual(['no onboard was completed twice', 'every onboard got to where it was sent']);
});

test('nothing known of it: it did not get where it was sent', () => {
  const { evidence } = sound();
  evidence.runs.clear();
  expect(broken(evidence)).toContain('every onboard got to where it was sent');
});

test('all that do not keep a check are named, however many', () => {
  const { evidence } = sound();
  const ids = Array.from({ length: 30 }, (_, n) => n.toString(16).padStart(24, '0'));
  evidence.lives = ids.map((invitation_id) => ({ invitation_id, at: 0, goal: 'completed', door: 'client', deeds: [] }));
  const arrived = judge(evidence).find(({ name }) => name === 'every onboard got to where it was sent');
  expect(arrived?.offenders).toEqual(ids);
});
