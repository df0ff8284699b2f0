/** The judge of the crash runs must be able to say no: each check breaks on the one thing that it is about. */
import type { OnboardView } from '../src/onboard/view';
import type { Elsewhere } from './chaos/another-client';
import { coverage } from './chaos/coverage';
import { ANOTHER, OURS, type Made } from './chaos/journal';
import { AFTERWARDS, judge, LOST, LOST_MALFORMED, OVERWRITTEN, UNTOLD, WRONG, type Evidence } from './chaos/oracle';
import type { Said } from './chaos/people';
import { AMBIGUOUS, LISTS, OLD_LOOK_MS, type Blow, type Fault } from './chaos/plan';

const ID = 'a'.repeat(24);
const AT = '2026-01-01T00:00:00.000Z';
const DONE_AT = '2026-01-01T00:01:00.000Z';
const GONE = 'creating the onboard: the worker that made the call stopped responding';
const KILL: Blow = { at: 0, do: 'kill', worker: 0 };
const SHUT: Blow = { at: 0, do: 'shut down the SDK', worker: 0 };
/** Of others, which only the coverage counts: one that another client made first, and one of each kind that was told. */
const FIRST = 'c'.repeat(24);
const TOLD = 'd'.repeat(24);
const NONE = { posts: 0, creates: 0, puts: 0, completes: 0, emails: 0 };

/** Answered while its run still went on. */
const said = (deed: object, ...answers: Said['answers']) =>
  ({
    invitation_id: ID,
    deed: { at: 0, times: answers.length, ...deed },
    askedAt: Date.parse(AT),
    answers,
    answeredAt: answers.map(() => Date.parse(DONE_AT) - 1),
  }) as Said;
const lines = (...told: object[]) => told.map((line) => ({ at: AT, ...line })) as OnboardView['timeline'];
const six = Array.from({ length: 6 }, () => SHUT);
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
  } as unknown as OnboardView;
  const faults = AMBIGUOUS.flatMap((kind) =>
    (['before', 'after'] as const).flatMap((when) =>
      five((): Fault => ({ on: 'POST', when, do: kind, invitation_id: ID })),
    ),
  );
  const looks = five(() => [
    ...LISTS.map((kind): Fault => ({ on: 'GET', when: 'before', do: kind })),
    { on: 'GET', when: 'after', do: 'slow', ms: OLD_LOOK_MS } as const,
  ]).flat();
  const told = {
    ...{ phase: 'done', ledger: [] },
    timeline: lines(
      { event: 'attention', detail: 'duplicate: two of them' },
      { event: 'attention', detail: 'flow_conflict: another flow' },
      { event: 'attention', detail: 'unexpected_status: it is back' },
      ...five((n) => ({ event: 'held', by: `2-${n}` })),
      ...five(() => ({ event: 'not_sent', detail: 'creating the onboard: it was called back before it was sent' })),
    ),
  } as unknown as OnboardView;
  const elsewhere = five((): Elsewhere[] => [
    { invitation_id: FIRST, did: 'creates' },
    { invitation_id: FIRST, did: 'completes' },
    { invitation_id: TOLD, did: 'creates' },
    { invitation_id: TOLD, did: 'sets the flow' },
    { invitation_id: TOLD, did: 'takes the status back' },
  ]).flat();
  const holds = five((n) => ({
    ...said({ do: 'hold', key: `2-${n}` }, 'accepted'),
    ...{ invitation_id: TOLD, wasOut: true },
  }));
  const evidence: Evidence = {
    lives: [{ invitation_id: ID, at: 0, goal: 'completed', door: 'client', deeds: [] }],
    said: [
      said({ do: 'advance', to: 'completed', as: 'update', key: '1-1' }, 'accepted', 'accepted'),
      said({ do: 'advance', to: 'completed', as: 'signal', key: '1-2' }, 'accepted', 'accepted'),
      said({ do: 'note', key: '1-3' }, 'accepted'),
      ...holds,
      {
        ...said({ do: 'advance', to: 'completed', as: 'update', key: '1-5' }, 'accepted'),
        answeredAt: [Date.parse(DONE_AT)],
      },
      said({ do: 'malformed', key: '1-4', name: 'frobnicate', payload: {} }, 'accepted'),
    ],
    runs: new Map([
      [ID, [state]],
      [TOLD, [told]],
    ]),
    journal: {
      arrivals: [{ invitation_id: TOLD, by: 'PUT', from: OURS, at: Date.parse(DONE_AT) - 2 }],
      made: [],
    },
    ledger: {
      [ID]: { posts: 1, creates: 1, puts: 2, completes: 1, emails: 1 },
      [TOLD]: { ...NONE, posts: 1, creates: 1 },
    },
    others: {},
    elsewhere,
    list: [{ id: 'b', invitation_id: ID, status: 'completed', created_at: AT }],
    faults: { planned: [...faults, ...looks], left: [] },
    blows: {
      planned: [...six, KILL],
      dealt: [...six, KILL],
      inHand: [...Array<number>(9).fill(0), 1],
      noticed: six.map(() => 7_000),
    },
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
const COVERAGE = 'each fault was met 5 times or more in each of its ways';

/** Another client makes a second onboard of the life. */
const doubled: Spoil = ({ evidence }) => {
  evidence.list.push({ id: 'f', invitation_id: ID, status: 'created', created_at: AT });
  evidence.others[ID] = { ...NONE, posts: 1, creates: 1 };
};
const later = (ms: number) => new Date(Date.parse(AT) + ms).toISOString();
/** Another client changes the onboard, and so long afterwards a call of ours does. */
const changedBefore =
  (ms: number, theirs: Partial<Made['record']>, ours: Partial<Made['record']> = {}): Spoil =>
  ({ evidence: { journal } }) => {
    const record = { id: 'b', invitation_id: ID, status: 'in_progress', flow_id: null };
    journal.made.push(
      { effect: 'replaced', from: OURS, record: { ...record, updated_at: later(-60_000) } },
      { effect: 'replaced', from: ANOTHER, record: { ...record, ...theirs, updated_at: AT } },
      { effect: 'completed', from: OURS, record: { ...record, status: 'completed', ...ours, updated_at: later(ms) } },
    );
    // The call before theirs, and the one after it.
    for (const at of [-200, ms])
      journal.arrivals.push({ invitation_id: ID, by: 'PUT', from: OURS, at: Date.parse(AT) + at });
  };
/** A call that came in so long after a hold was accepted; and what became of it then. */
const sentAfterHold =
  (ms: number, { from = OURS, wasOut = false, releasedAfter = Infinity } = {}): Spoil =>
  ({ evidence, state }) => {
    const at = Date.parse(DONE_AT) - 30_000;
    state.timeline.push(...lines({ event: 'held', by: '1-6' }, { event: 'released', by: '1-7' }));
    evidence.said.push({ ...said({ do: 'hold', key: '1-6' }, 'accepted'), answeredAt: [at], wasOut });
    evidence.said.push({ ...said({ do: 'release', key: '1-7' }, 'accepted'), askedAt: at + releasedAfter });
    evidence.journal.arrivals.push({ invitation_id: ID, by: 'PUT', from, at: at + ms });
  };

test.each<[string, string, Spoil]>([
  ['a second create', 'no invitation has two onboards of ours', ({ effects }) => (effects.creates = 2)],
  [
    'a second one in the list',
    'no invitation has two onboards of ours',
    ({ evidence: { list } }) => list.push({ ...list[0]!, created_at: later(50_000) }),
  ],
  ['a second one that nobody was told of', UNTOLD, doubled],
  ['a flow of theirs that is gone', OVERWRITTEN, changedBefore(20_000, { flow_id: 'theirs' })],
  ['a status that they had taken back', OVERWRITTEN, changedBefore(20_000, { status: 'created' })],
  ['a call after a hold', AFTERWARDS, sentAfterHold(1)],
  ['a call long after a hold that met one', AFTERWARDS, sentAfterHold(2_000, { wasOut: true })],
  ['a call before the release', AFTERWARDS, sentAfterHold(5_000, { releasedAfter: 6_000 })],
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
  [
    'a conflict that nobody made',
    'nobody was asked about what had not happened',
    ({ state }) => state.timeline.push(...lines({ event: 'attention', detail: 'flow_conflict: another flow' })),
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
  [
    'a worker that lived on',
    'every worker whose SDK had shut down ended by itself',
    ({ evidence: { blows } }) => blows.noticed.pop(),
  ],
  ['a list not met', COVERAGE, ({ evidence: { faults } }) => faults.left.push(faults.planned.at(-1)!)],
  ['nobody thought better of it', COVERAGE, ({ evidence }) => (evidence.runs.get(TOLD)![0]!.timeline.length = 8)],
  ['nobody else at work', COVERAGE, ({ evidence }) => evidence.elsewhere.shift()],
  ['no worker lost', COVERAGE, ({ state }) => (state.timeline = state.timeline.slice(1))],
])('%s: %s', (_, check, spoil) => {
  const run = sound();
  spoil(run);
  expect(broken(run.evidence)).toEqual([check]);
});

test.each<[string, Spoil]>([
  [
    'a second onboard that was told',
    (run) => {
      doubled(run);
      run.state.timeline.push(...lines({ event: 'attention', detail: 'duplicate: two of them' }));
    },
  ],
  [
    'a second onboard just before the end',
    (run) => {
      doubled(run);
      run.evidence.list.at(-1)!.created_at = later(50_000);
    },
  ],
  ['a flow of theirs that stayed', changedBefore(20_000, { flow_id: 'theirs' }, { flow_id: 'theirs' })],
  ['a flow that they set in the instant of our call', changedBefore(3_000, { flow_id: 'theirs' })],
  [
    'a status that they had taken back, of a call of ours that was lost',
    (run) => {
      changedBefore(20_000, { status: 'created' })(run);
      run.state.ledger.push({ n: 2, effect: 'in_progress', intended_at: AT, outcome: 'unknown' });
    },
  ],
  ['a call that was leaving when a hold came', sentAfterHold(500, { wasOut: true })],
  ['a call after the release', sentAfterHold(5_000, { releasedAfter: 4_000 })],
  ['a call of another client while ours is held', sentAfterHold(5_000, { from: ANOTHER })],
])('kept: %s', (_, change) => {
  const run = sound();
  change(run);
  expect(broken(run.evidence)).toEqual([]);
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
