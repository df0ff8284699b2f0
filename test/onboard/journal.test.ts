/** What is kept of what happened is bounded, and counts what it drops; and the words for people. */
import { handOver, takeOver } from '../../src/onboard/carry-over';
import { log, rememberKey, settleEntry, weigh } from '../../src/onboard/journal';
import { backoff, keyBackoff, scheduledAt } from '../../src/onboard/schedule';
import { attemptMsFor } from '../../src/onboard/time-budget';
import { detailsOf, factsOf, happenedIn, span } from '../../src/onboard/words';
import { effectiveFlow, flowOf } from '../../src/onboard/flow';
import { DEFAULT_POLICY } from '../../src/onboard/input';
import { FLOW, Given, INVITATION, listed, OURS, RUN, seen, START } from '../support/given';

const AT = new Date(START).toISOString();

describe('the timeline', () => {
  test('keeps the newest 500 lines, and says how many it does not', () => {
    const given = new Given();
    for (let n = 0; n < 600; n += 1) log(given.onboard, START, 'note', { detail: `No. ${n}` });
    expect(given.onboard.timeline).toHaveLength(500);
    expect(given.onboard.timeline.at(-1)?.detail).toBe('No. 599');
    expect(given.onboard.dropped.timeline).toBe(101);
    expect(given.view.timeline[0]).toEqual({
      at: AT,
      event: 'dropped',
      detail: 'older: 101 lines, 0 ledger entries, 0 keys',
    });
    expect(new Given().view.timeline[0]?.event).toBe('started');
  });

  test('stays below what a payload may be, however long its lines are', () => {
    const given = new Given();
    for (let n = 0; n < 500; n += 1) log(given.onboard, START, 'note', { detail: '\u00e9'.repeat(2_000) });
    expect(given.onboard.weights.timeline).toBeLessThanOrEqual(700_000);
    expect(given.onboard.timeline.length).toBeLessThan(100);
    const weight = given.onboard.timeline.reduce((sum, line) => sum + weigh(line), 0);
    expect(given.onboard.weights.timeline).toBe(weight);
  });

  test('weighs a text by what it takes as JSON', () => {
    expect(weigh({})).toBe(2);
    expect(weigh({ a: 'xy' })).toBe(2 + 1 + 6 + 2);
    expect(weigh({ a: '"\\' })).toBe(2 + 1 + 6 + 4);
    expect(weigh({ a: '\n\u00e9' })).toBe(2 + 1 + 6 + 12);
  });

  test('folds the same failure into one line that counts', () => {
    const given = new Given();
    for (let n = 0; n < 3; n += 1) log(given.onboard, START + n, 'not_sent', { detail: 'no' });
    expect(given.onboard.timeline.slice(1)).toEqual([
      { at: new Date(START + 2).toISOString(), event: 'not_sent', detail: '3 times, the last: no' },
    ]);
    expect(given.onboard.weights.timeline).toBe(given.onboard.timeline.reduce((sum, line) => sum + weigh(line), 0));
    log(given.onboard, START, 'not_sent', { detail: 'another' });
    log(given.onboard, START, 'note', { detail: 'another' });
    log(given.onboard, START, 'note', { detail: 'another' });
    expect(given.events).toEqual(['started', 'not_sent', 'not_sent', 'note', 'note']);
  });
});

describe('the ledger', () => {
  test('numbers its lines, and what never left gives way to what follows', () => {
    const given = new Given().tried('create', { kind: 'not_sent', words: 'no connection' }).created();
    expect(given.onboard.ledger).toEqual([
      { n: 2, effect: 'create', intended_at: AT, settled_at: AT, outcome: 'done', onboard_id: OURS },
    ]);
  });

  test('keeps one line of a key that is refused for days, and both of different answers', () => {
    const no = { kind: 'credentials', words: 'no', http_status: 401 } as const;
    const given = new Given().tried('create', no).tried('create', no).tried('create', no);
    expect(given.onboard.ledger.map(({ n, outcome, http_status }) => [n, outcome, http_status])).toEqual([
      [3, 'refused', 401],
    ]);
    given.tried('create', { ...no, http_status: 403 });
    expect(given.ledger).toEqual(['create refused', 'create refused']);
  });

  test('does not change what is known to have taken effect', () => {
    const given = new Given().created();
    settleEntry(given.onboard, 'create', START + 5, { outcome: 'refused' });
    settleEntry(given.onboard, 'completed', START + 5, { outcome: 'refused' });
    expect(given.ledger).toEqual(['create done']);
  });

  test('weighs what it keeps, also when a line gives way', () => {
    const given = new Given();
    for (let n = 0; n < 3; n += 1) given.tried('create', { kind: 'not_sent', words: 'no connection' });
    given.created();
    const weight = given.onboard.ledger.reduce((sum, entry) => sum + weigh(entry), 0);
    expect(given.onboard.weights.ledger).toBe(weight);
  });
});

test('keys are kept for a thousand messages', () => {
  const given = new Given();
  for (let n = 0; n < 1_001; n += 1) rememberKey(given.onboard, `k${n}`, 'hold x');
  expect(given.onboard.keys).toHaveLength(1_000);
  expect(given.onboard.keys[0]?.key).toBe('k1');
});

test('a list that fails is asked again, and needs attention after five', () => {
  const given = new Given().tried('create', { kind: 'unknown', words: 'reset' });
  const failed = { kind: 'unusable', words: 'HTTP 503' } as const;
  for (let n = 0; n < 4; n += 1) given.later(60_000).looked('effect', failed);
  expect(given.onboard.attention).toBeUndefined();
  expect(given.step()).toMatchObject({ do: 'look', at: given.now + 800 });
  given.later(60_000).looked('effect', { ...failed, retry_after_ms: 9_000 });
  expect(given.view.attention).toMatchObject({
    code: 'list_unreadable',
    message: expect.stringContaining('HTTP 503') as string,
  });
  expect(given.step()).toMatchObject({ do: 'look', at: given.now + 9_000 });
  given.looked('effect', listed(seen()));
  expect(given.onboard.attention).toBeUndefined();
});

test('pauses double up to their most', () => {
  const policy = { ...DEFAULT_POLICY, backoff_ms: 1_000, credentials_backoff_ms: 15_000 };
  expect([0, 1, 2, 5, 6, 50].map((n) => backoff(policy, n))).toEqual([1_000, 2_000, 4_000, 32_000, 60_000, 60_000]);
  expect([0, 1, 4, 5, 50].map((n) => keyBackoff(policy, n))).toEqual([15_000, 30_000, 240_000, 300_000, 300_000]);
  expect(scheduledAt(5)).toEqual({ at: 5, failures: 0, unusable_looks: 0 });
  expect(attemptMsFor(15_000)).toBe(60_000);
  expect(attemptMsFor(1_000, 2_000)).toBe(10_000);
});

describe('from one run to the next', () => {
  const carry = (given: Given, ...runs: [string, string]) =>
    takeOver(
      { invitation_id: INVITATION },
      JSON.parse(JSON.stringify(handOver(given.onboard, runs[0]))) as never,
      runs[1],
      START,
    );

  test('what a run heard, asked and was ordered is the next one’s; what it had inherited is not', () => {
    const asked = new Given().tried('create', { kind: 'refused', words: 'no', http_status: 422, look_first: false });
    const next = carry(asked, RUN.run_id, 'the next');
    expect(next.evidence?.run_id).toBe('the next');
    expect(next.attention?.evidence?.run_id).toBe('the next');
    expect(carry(asked, 'another', 'the next').attention?.evidence).toEqual(RUN);
    const ordered = asked.told({ name: 'resolve', action: 'retry' });
    expect(carry(ordered, RUN.run_id, 'the next').operation?.approval?.run_id).toBe('the next');
    expect(next.timeline.at(-1)?.event).toBe('continued');
  });

  test('a reset is remembered: what the other run did after it is not known', () => {
    const given = new Given().tried('create', {
      kind: 'not_sent',
      words: 'x',
      evidence: { run_id: 'r', is_reset: true },
    });
    expect(given.onboard.maybe_sent_before).toEqual(['create', 'in_progress', 'completed']);
    expect(new Given().onboard.maybe_sent_before).toEqual([]);
    expect(new Given({ not_before: AT }).onboard.maybe_sent_before).toEqual(['create', 'in_progress', 'completed']);
    expect(new Given({ not_before: AT, maybe_sent_before: ['create'] }).onboard.maybe_sent_before).toEqual(['create']);
  });
});

describe('words', () => {
  test('of a span are as many as a person needs', () => {
    expect([0, 999, 1_000, 2_000, 60_000, 3_600_000, 86_400_000, 3 * 86_400_000].map(span)).toEqual([
      ...['a moment', 'a moment', '1 second', '2 seconds', '1 minute', '1 hour', '1 day', '3 days'],
    ]);
  });

  test('of an onboard are the same in the console and on the command line', () => {
    const waiting = new Given({ flow_id: FLOW }).created();
    expect(factsOf(waiting.view)).toEqual({
      ...{ waitsFor: 'an operator: somebody to say that it may go on to in_progress', held: undefined, flow: FLOW },
      next: { text: 'nothing until somebody acts' },
    });
    const later = new Given().tried('create', { kind: 'not_sent', words: 'no connection' });
    expect(factsOf(later.view).next).toEqual({
      text: 'try at creating the onboard',
      at: new Date(START + 100).toISOString(),
    });
    const calling = new Given();
    expect(factsOf(calling.view).next).toEqual({ text: 'what was sent is followed up until its outcome is known' });
    const asked = new Given().tried('create', { kind: 'refused', words: 'no', http_status: 422, look_first: false });
    expect(factsOf(asked.view).waitsFor).toBe('an operator: a decision');
    expect(factsOf(asked.told({ name: 'hold' }).view).held).toBe('yes: nothing is sent until it is released');
    expect(factsOf({ ...waiting.view, stale: true })).toMatchObject({
      waitsFor: undefined,
      next: { text: 'nothing until a worker can continue it' },
    });
    const ended = new Given().told({ name: 'cancel' });
    ended.onboard.ended = 'cancelled';
    expect(factsOf(ended.view)).toMatchObject({ waitsFor: 'nobody', next: { text: ended.view.waiting_for.text } });
    const looking = new Given().tried('create', { kind: 'unknown', words: 'x' });
    expect(factsOf(looking.view).next).toEqual({ text: 'it goes on by itself in a moment' });
  });

  test('of a call and of an event', () => {
    const entry = {
      n: 1,
      effect: 'create',
      intended_at: AT,
      outcome: 'refused',
      http_status: 422,
      words: 'no',
      onboard_id: OURS,
    } as const;
    expect(detailsOf(entry, { record: null })).toBe(`HTTP 422, onboard ${OURS}, no`);
    expect(detailsOf(entry, { record: seen().record })).toBe('HTTP 422, no');
    expect(happenedIn({ at: AT, event: 'moved', detail: 'completed' })).toBe('moved: completed');
    expect(happenedIn({ at: AT, event: 'held' })).toBe('held');
  });

  test('of a cancelled onboard say what may be in LeadConduit', () => {
    const words = (given: Given) => {
      given.onboard.ended = 'cancelled';
      return given.view.waiting_for.text;
    };
    expect(words(new Given())).toBe(
      'not followed any more. Nothing is known to be in LeadConduit; a new start looks first.',
    );
    expect(words(new Given().created())).toBe(
      `not followed any more. Onboard ${OURS} stays in LeadConduit, where it cannot be deleted; a new start adopts it.`,
    );
    expect(words(new Given().tried('create', { kind: 'unknown', words: 'x' }))).toBe(
      'not followed any more. The outcome of a create call is unknown: the onboard may be in LeadConduit. A new start looks first, and asks a person before it creates.',
    );
    expect(words(new Given().created().tried('completed', { kind: 'unknown', words: 'x' }))).toBe(
      `not followed any more. The outcome of the call for completed is unknown. Onboard ${OURS} stays in LeadConduit, where it cannot be deleted; a new start adopts it.`,
    );
    const done = new Given().created().moved('in_progress', 'completed');
    done.onboard.ended = 'done';
    expect(done.view.waiting_for.text).toMatch(/^completed: nothing is left to do here/);
  });

  test('of a call that was called back, while its outcome is not known', () => {
    const given = new Given().created().told({ name: 'advance', to: 'in_progress' });
    given.onboard.operation = {
      ...scheduledAt(START),
      effect: 'in_progress',
      stage: 'in_flight',
      possible_sends: 0,
      absence_counts_from: 0,
      looks_without_it: 0,
      repeated: false,
    };
    expect(given.view.waiting_for.text).toBe("LeadConduit's answer to moving it to in_progress");
    given.told({ name: 'hold' });
    expect(given.view).toMatchObject({ phase: 'updating', next: undefined });
    expect(given.view.waiting_for.text).toMatch(/^what became of moving it to in_progress: it is called back/);
  });
});

test('the flow that counts is the one that was asked for, else the record’s, in lower case', () => {
  expect(flowOf({ record: null })).toBeNull();
  expect(flowOf({ record: { flow_id: 'AB' } })).toBe('ab');
  expect(effectiveFlow({ record: { flow_id: 'AB' } })).toBe('ab');
  expect(effectiveFlow({ record: { flow_id: 'AB' }, requested_flow_id: FLOW })).toBe(FLOW);
});
