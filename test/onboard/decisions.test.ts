/**
 * The workflow's decisions by the thousand, without a server: random messages, faults, lags and new runs against a
 * LeadConduit that is a list and a clock. The promises are checked after every step.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { applyOutcome } from '../../src/onboard/apply-outcome';
import { applyMessage, validate } from '../../src/onboard/apply-message';
import { EFFECT_NAMES, type Effect } from '../../src/onboard/lifecycle';
import { applyLook } from '../../src/onboard/apply-look';
import type { OnboardInput } from '../../src/onboard/input';
import type { OnboardView } from '../../src/onboard/view';
import { nextStep } from '../../src/onboard/next-step';
import { iso } from '../../src/onboard/journal';
import { handOver, takeOver } from '../../src/onboard/carry-over';
import { begin, intend, type OnboardState } from '../../src/onboard/state';
import { parseMessage, type Message } from '../../src/onboard/parse-message';
import { datePhase, view } from '../../src/onboard/view';
import {
  ATTEMPT,
  BACKOFF,
  FAULTS,
  FLOWS,
  INVITATION,
  SimulatedLeadConduit,
  ORDER,
  SETTLE,
  type FaultName,
} from '../support/simulated-leadconduit';
import { Model, nameOf } from '../support/model';

const START = Date.parse('2026-01-01T00:00:00Z');
const POLICY = {
  settle_ms: SETTLE,
  attempt_ms: ATTEMPT,
  confirm_ms: 500,
  backoff_ms: BACKOFF,
  credentials_backoff_ms: BACKOFF,
};

const TELLING = ['timeline', 'weights', 'dropped', 'phase', 'since'];

/** Something that is said while a call is out: before its bytes leave, or after. */
interface Meanwhile {
  message: Message;
  isBefore: boolean;
}
/** Everything but what tells of it. */
const substance = (onboard: OnboardState) =>
  JSON.stringify(onboard, (key, value: unknown) => (TELLING.includes(key) ? undefined : value));

/** A back-off that doubles comes to fewer. */
const LOOKS = 8;

/** What a `resolve` says that it answers. */
const [SEEN_LAST, NEVER_SEEN] = ['the one seen last', 'a1'];

/** One onboard under test, with the promises that must hold after everything that happens to it. */
class Trial {
  now = START;
  model = new Model();
  hasSaidDuplicate = false;
  /** When LeadConduit was last asked for its list. */
  lookedAt = START;
  private input: OnboardInput = { invitation_id: INVITATION, policy: POLICY };
  onboard: OnboardState;
  run = { id: 'run 1', isReset: false };
  private runs = 1;
  private messages = 0;
  private reached = -1;
  private id: string | undefined;
  /** The attention that people saw last; it may have been answered since. */
  private seen = NEVER_SEEN;
  /** A completing call was lost: the next one needs a person's order. */
  private needsOrder = false;
  /** An earlier run may have made the calls of this one: none that cannot be undone is made again unless a person says so. */
  private isDoubtful = false;
  private isCleared = false;
  /** Repeats that a person ordered of what the list could not show them. */
  private readonly orders = { create: 0, in_progress: 0, completed: 0 };
  private lastCall: { effect: Effect; listedBy: number } = { effect: 'create', listedBy: START };
  private isOut = false;

  /** When it looked since anybody last said or sent anything. */
  private looks: number[] = [];
  /** Somebody has seen that the completing call took effect. */
  private isSaidToBeDone = false;

  constructor(
    readonly upstream: SimulatedLeadConduit,
    flow_id?: string,
  ) {
    this.input = { ...this.input, flow_id };
    this.onboard = begin(this.input, START);
  }

  get state(): OnboardView {
    return view(this.onboard, this.now);
  }

  say(unsigned: Message): void {
    this.messages += 1;
    // Whoever repeats a key says the same in the same name, or something else.
    const message = { ...unsigned, by: `person ${unsigned.key ?? this.messages}` };
    if (message.name === 'resolve' && message.attention === SEEN_LAST) message.attention = this.seen;
    const verdict = this.model.verdictOn(message, this.state);
    const { state } = this;
    const asked = state.attention?.code;
    this.looks = [];
    const before = substance(this.onboard);
    const judged = validate(this.onboard, message).kind;
    assert.equal(judged, verdict, `${nameOf(message)} is to be "${verdict}", and was "${judged}"`);
    const { length } = this.onboard.timeline;
    applyMessage(this.onboard, message, this.now);
    this.model.said(message, verdict);
    if (verdict === 'repeat') assert.equal(this.onboard.timeline.length, length, 'an honest repeat was told of');
    if (verdict === 'refuse' || verdict === 'repeat')
      assert.equal(substance(this.onboard), before, 'refused, but it changed something');
    else if (message.name === 'resolve') {
      this.needsOrder = false;
      this.isCleared = true;
      if (message.action === 'retry') this.ordered(asked);
      this.isSaidToBeDone ||= message.action === 'adopt' && this.lastCall.effect === 'completed';
    }
    if (verdict === 'accept') this.decideFlow(message, state);
    this.check();
  }

  /** Whoever names a flow, or takes the one that is there, has seen the one of the record. */
  private decideFlow(message: Message, { attention, record }: OnboardView): void {
    const isTaken = message.name === 'resolve' && message.action === 'adopt' && attention?.code === 'flow_conflict';
    const isNamed = message.name === 'advance' && message.flow_id !== undefined;
    if (record && (isTaken || isNamed)) this.upstream.agreeOn(record.id, record.flow_id ?? null);
  }

  /** Beyond the promise: what a person orders again although it is there, where the list did not show it to them. */
  private ordered(code: string | undefined): void {
    const { effect, listedBy } = this.lastCall;
    const isUnproven = code === 'absence_unproven' && this.upstream.hides(effect, this.now);
    // After "it exists", the order waits until a settle time has passed.
    const isHidden = code === 'refused' && this.upstream.hides(effect, Math.max(this.now, listedBy));
    const isLate = code === 'unknown_outcome' && this.upstream.isBeyond && this.upstream.hides(effect, this.now);
    if (isUnproven || isHidden || isLate) this.orders[effect] += 1;
  }

  /** One step of the workflow's body; false when it waits for people or has ended. */
  step(fault: FaultName, until: number, meanwhile?: Meanwhile): boolean {
    const step = nextStep(this.onboard, this.now);
    if (this.model.ended) {
      assert.equal(step.do, 'end', 'it went on after its end');
      return false;
    }
    if (step.do === 'end') {
      assert.equal(step.how, this.model.cancelled ? 'cancelled' : 'done');
      this.onboard.ended = step.how;
      this.model.ended = true;
      if (step.how === 'done')
        assert(this.isSaidToBeDone || this.upstream.has('completed'), 'done, although nothing was completed');
    } else if (step.do === 'wait') {
      return false;
    } else if (step.at > this.now) {
      if (step.at > until) return false;
      this.now = step.at;
    } else if (step.do === 'look') {
      this.now += 10;
      this.looks = [...this.looks.filter((at) => at > this.now - SETTLE), this.now];
      assert(this.looks.length <= LOOKS, `it looked ${this.looks.length} times within a settle time`);
      if (!['look', 'key', 'key after'].includes(fault)) this.lookedAt = this.now - 10;
      const look = this.upstream.look(this.run, this.onboard, fault, this.now - 10);
      applyLook(this.onboard, step.about, look, this.now - 10, this.now);
    } else {
      applyOutcome(this.onboard, this.call(step.effect, fault, meanwhile), this.now);
      this.isOut = false;
    }
    // A new run carries plain data only.
    this.onboard = JSON.parse(JSON.stringify(this.onboard)) as OnboardState;
    this.check();
    return !this.model.ended;
  }

  private call(effect: Effect, fault: FaultName, meanwhile?: Meanwhile) {
    assert(!this.model.held && !this.model.cancelled, 'it acted while held, or after a cancel');
    intend(this.onboard, effect, this.now);
    assert.match(this.state.phase, /creating|updating|attention/);
    this.isOut = true;
    this.looks = [];
    if (meanwhile?.isBefore) this.say(meanwhile.message);
    this.now += 10;
    const { sent } = this.upstream;
    const { held, cancelled } = this.model as { held: boolean; cancelled: boolean };
    const isCalledBack = held || cancelled;
    const does = isCalledBack && fault !== 'look' ? 'called back' : fault;
    const outcome = this.upstream.attempt(effect, this.onboard, this.run, does, this.now);
    const isSent = this.upstream.sent > sent;
    assert(!isSent || !isCalledBack, 'sent, although it was held or cancelled before');
    if (isSent && effect !== 'in_progress')
      assert(this.isCleared || !this.isDoubtful, 'sent again, after another run, without an order');
    if (isSent) this.isCleared = false;
    if (effect === 'completed' && isSent) {
      assert(!this.needsOrder, 'completed again without an order');
      this.needsOrder = outcome.kind === 'unknown';
    }
    if (isSent) this.lastCall = { effect, listedBy: fault === 'exists' ? this.now + SETTLE : this.now };
    if (meanwhile && !meanwhile.isBefore) this.say(meanwhile.message);
    this.model.became(effect, outcome);
    return outcome;
  }

  /** The history has grown long: it goes on in a new run, as if nothing had been. */
  renew(): void {
    if (this.model.ended) return;
    this.runs += 1;
    const carried = JSON.parse(JSON.stringify(handOver(this.onboard, this.run.id))) as OnboardState;
    if (this.run.isReset) carried.maybe_sent_before = [...EFFECT_NAMES];
    this.isDoubtful ||= this.run.isReset;
    this.run = { id: `run ${this.runs}`, isReset: false };
    this.onboard = takeOver(this.input, carried, this.run.id, this.now);
    this.check();
  }

  /** The run is ended from outside or reset to its beginning, perhaps while its call is out; another one begins. */
  beginAgain(how: 'ended' | 'reset', fault: FaultName | undefined): void {
    const step = nextStep(this.onboard, this.now);
    if (fault !== undefined && !this.model.ended && step.do === 'act' && step.at <= this.now) {
      const { sent } = this.upstream;
      this.call(step.effect, fault);
      this.needsOrder ||= step.effect === 'completed' && this.upstream.sent > sent;
    }
    // Nobody starts another after one that is done; after any other, any call may have been made.
    if (how === 'ended' && this.onboard.ended === 'done') return;
    if (how === 'ended')
      this.input = { ...this.input, not_before: iso(this.now + SETTLE), maybe_sent_before: [...EFFECT_NAMES] };
    this.runs += 1;
    this.run = { id: `run ${this.runs}`, isReset: how === 'reset' };
    this.onboard = begin(this.input, this.now);
    this.model = new Model();
    Object.assign(this, { id: undefined, reached: -1, isDoubtful: true, isCleared: false });
    this.check();
  }

  check(): void {
    datePhase(this.onboard, this.now);
    const { state } = this;
    this.model.compare(state);
    const rank = ORDER.indexOf(state.status ?? '');
    if (this.id !== state.record?.id) Object.assign(this, { id: state.record?.id, reached: -1 });
    this.seen = state.attention?.id ?? this.seen;
    this.hasSaidDuplicate ||= state.attention?.code === 'duplicate';
    if (rank >= 0 && !state.attention && state.phase !== 'unknown') {
      assert(this.upstream.wasTakenBack || rank >= this.reached, 'went back');
      this.reached = rank;
    }
    const { creates, completions, isBeyond } = this.upstream;
    assert(this.isOut || state.ledger.every(({ outcome }) => outcome !== 'pending'));
    assert(!this.upstream.isFlowLost, 'a flow that somebody had set was written over');
    assert(isBeyond || creates <= 1 + this.orders.create, 'a second onboard');
    for (const count of completions.values()) assert(count <= 1 + this.orders.completed, 'completed twice');
    assert.equal(state.phase === 'attention', !this.model.ended && state.attention !== undefined);
  }
}

const key = fc.option(fc.constantFrom('k1', 'k2', 'k3'), { nil: undefined });
const messages: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    name: fc.constant('advance' as const),
    to: fc.constantFrom('in_progress' as const, 'completed' as const),
    flow_id: fc.option(fc.constantFrom(...FLOWS), { nil: undefined, freq: 2 }),
    key,
  }),
  fc.record({ name: fc.constant('hold' as const), key }),
  fc.record({ name: fc.constant('release' as const), key }),
  fc.record({ name: fc.constant('look' as const), key }),
  fc.record({ name: fc.constant('note' as const), text: fc.constant('text'), key }),
  fc.record({
    name: fc.constant('resolve' as const),
    action: fc.constantFrom('retry' as const, 'adopt' as const),
    onboard_id: fc.option(fc.constantFrom(...[0, 1].map((n) => String(n).padStart(24, 'b'))), { nil: undefined }),
    attention: fc.option(fc.constantFrom(SEEN_LAST, NEVER_SEEN), { nil: undefined }),
    key,
  }),
);
const events = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: messages },
    { weight: 3, arbitrary: fc.constantFrom(...FAULTS) },
    { weight: 1, arbitrary: fc.constantFrom('cancel' as const, 'another' as const, 'renew' as const) },
    { weight: 1, arbitrary: fc.record({ partial: fc.boolean() }) },
    {
      weight: 1,
      arbitrary: fc.record({
        changed: fc.constantFrom('created', 'in_progress', 'completed', 'failed', undefined),
        flow: fc.constantFrom(...FLOWS, null, undefined),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        fault: fc.constantFrom(...FAULTS),
        meanwhile: fc.record({
          message: fc.oneof(messages, fc.constant({ name: 'hold' as const }), fc.constant({ name: 'cancel' as const })),
          isBefore: fc.boolean(),
        }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        again: fc.constantFrom('ended' as const, 'reset' as const),
        during: fc.option(fc.constantFrom(...FAULTS), { nil: undefined }),
      }),
    },
  ),
  { maxLength: 40 },
);

/** Another one each time, unless one is given to be played again. */
const seed = Number(process.env.DECISIONS_SEED ?? Date.now() | 0);
beforeAll(() => console.log(`the random lives have the seed ${seed}; to play them again: DECISIONS_SEED=${seed}`));

type Play = (typeof events extends fc.Arbitrary<infer List> ? List : never) & unknown[];
interface May {
  cancel: boolean;
  /** Somebody changes the onboard in LeadConduit itself. */
  change: boolean;
  another: boolean;
  again: boolean;
}

/** What happens to it; then all is well again, and somebody is there who decides: it always gets to its end. */
function live(trial: Trial, list: Play, may: May): void {
  for (const event of list) {
    if (event === 'cancel' || event === 'another' || event === 'renew') {
      if (event === 'cancel' && may.cancel) trial.say({ name: 'cancel' });
      if (event === 'another' && may.another) trial.upstream.make(trial.now);
      if (event === 'renew') trial.renew();
    } else if (typeof event === 'string')
      for (let steps = 0; steps < 3; steps += 1) trial.step(event, trial.now + 2 * SETTLE);
    else if ('name' in event) trial.say(event);
    else if ('partial' in event) trial.upstream.isPartial = event.partial;
    else if ('changed' in event) {
      if (may.change) trial.upstream.change({ status: event.changed, flow: event.flow }, trial.now);
    } else if ('fault' in event) {
      if (event.meanwhile.message.name !== 'cancel' || may.cancel)
        trial.step(event.fault, trial.now + 2 * SETTLE, event.meanwhile);
    } else if (may.again) trial.beginAgain(event.again, event.during);
  }
  trial.upstream.mend(trial.now);
  for (let steps = 0; steps < 400 && !trial.model.ended; steps += 1) {
    if (trial.step('none', Infinity) && trial.onboard.attention?.code !== 'absence_unproven') continue;
    trial.now += SETTLE / 10; // Nobody decides at once, again and again.
    for (const message of [{ name: 'release' }, decision(trial), { name: 'advance', to: 'completed' }] as const)
      if (trial.model.verdictOn(message, trial.state) === 'accept') trial.say(message);
  }
  expect(trial.onboard.ended).toBe(trial.model.cancelled ? 'cancelled' : 'done');
}

function decision({ onboard, upstream, now, state }: Trial): Message {
  const code = onboard.attention?.code;
  if (code === 'duplicate') return { name: 'resolve', action: 'adopt', onboard_id: upstream.list(now)[0]?.record.id };
  // Somebody had said of a call that it took effect, and it did not: the way out is another start, which looks.
  const isWrong = state.ledger.some(({ outcome, effect }) => outcome === 'resolved' && !upstream.has(effect));
  if (code === 'unexpected_status' && isWrong) return { name: 'cancel' };
  // Somebody had said before that it was further on.
  const isSaid = code === 'unexpected_status' && state.actions.includes('resolve adopt');
  return { name: 'resolve', action: isSaid || code === 'flow_conflict' ? 'adopt' : 'retry' };
}

/** `npm test` plays fewer. */
const RUNS = Number(process.env.DECISIONS_LIVES ?? 5_000);
/** From an effect until the list shows it; often none, since some faults are harmless only then. */
const lags = fc.oneof(fc.constant(0), fc.nat(4 * SETTLE - 50));
const flow = fc.constantFrom(undefined, FLOWS[0]);
const may = fc.record({ cancel: fc.boolean(), change: fc.boolean(), another: fc.boolean(), again: fc.boolean() });

test(`${RUNS} random lives: at most one onboard and one completion, never back, never while held, nothing lost`, () => {
  fc.assert(
    fc.property(lags, fc.boolean(), flow, events, may, (lag, presence, flow_id, list, allowances) =>
      live(new Trial(new SimulatedLeadConduit(lag, presence), flow_id), list, allowances),
    ),
    { numRuns: RUNS, seed },
  );
});

test('where the list lags behind more than the settle times, a second onboard is possible, and said once the list shows it', () => {
  let shown = 0;
  fc.assert(
    fc.property(fc.integer({ min: 5 * SETTLE, max: 9 * SETTLE }), events, (lag, list) => {
      const trial = new Trial(new SimulatedLeadConduit(lag));
      live(trial, list, { cancel: false, change: false, another: false, again: false });
      const wasShown = trial.upstream.list(trial.lookedAt).length > 1;
      if (wasShown) shown += 1;
      assert(!wasShown || trial.hasSaidDuplicate, 'a second onboard was seen, and nobody was told');
    }),
    { numRuns: RUNS / 5, seed },
  );
  expect(shown).toBeGreaterThan(0);
});

test('an effect that lands later than every settle time is the hole that remains: it is seen as a duplicate', () => {
  const upstream = new SimulatedLeadConduit(0);
  const trial = new Trial(upstream);
  trial.step('lost before', Infinity);
  while (trial.onboard.record === null) trial.step('none', Infinity);
  upstream.make(trial.now);
  trial.check = () => undefined;
  while (trial.step('none', Infinity));
  expect(trial.onboard.attention?.code).toBe('duplicate');
});

test('a create refused although it was carried out, listed late, and ordered again meanwhile, is two: seen as a duplicate', () => {
  const upstream = new SimulatedLeadConduit(SETTLE / 2);
  const trial = new Trial(upstream);
  trial.step('refused after', Infinity);
  expect(trial.onboard.attention?.code).toBe('refused');
  trial.say({ name: 'resolve', action: 'retry' });
  while (trial.step('none', Infinity));
  expect(upstream.creates).toBe(2);
  expect(trial.onboard.attention?.code).toBe('duplicate');
});

test('whoever adopts one onboard while the list shows another is told of both, and chooses', () => {
  const upstream = new SimulatedLeadConduit(0);
  const trial = new Trial(upstream);
  trial.step('refused', Infinity);
  expect(trial.onboard.attention?.code).toBe('refused');
  const [{ id }] = [upstream.make(trial.now), upstream.make(trial.now)];
  const adopt = (): void => {
    trial.say({ name: 'resolve', action: 'adopt', onboard_id: id });
    trial.step('none', Infinity);
  };
  adopt();
  expect(trial.onboard).toMatchObject({ record: null, attention: { code: 'duplicate' } });
  adopt();
  expect(trial.onboard.record).toMatchObject({ id });
  expect(trial.onboard.attention).toBeUndefined();
});

test('another one, shown in the place of ours while a call for ours may have worked, is a duplicate', () => {
  const upstream = new SimulatedLeadConduit(0);
  const trial = new Trial(upstream);
  while (trial.onboard.record === null) trial.step('none', Infinity);
  trial.say({ name: 'advance', to: 'in_progress' });
  trial.step('lost before', Infinity);
  const other = upstream.make(trial.now);
  const listed = upstream.list(trial.now).filter(({ record }) => record.id === other.id);
  upstream.list = () => listed;
  trial.step('none', Infinity);
  expect(trial.onboard.attention).toMatchObject({ code: 'duplicate' });
  expect(trial.onboard.attention?.message).toContain(other.id);
  const ours = trial.onboard.record.id;
  expect(trial.onboard.attention?.message).toContain(ours);
  trial.say({ name: 'resolve', action: 'adopt', onboard_id: other.id });
  trial.step('none', Infinity);
  expect(trial.onboard).toMatchObject({ record: { id: other.id }, ruled_out: [ours] });
});

test('a look that was under way when somebody chose between two does not ask them again', () => {
  const upstream = new SimulatedLeadConduit(0);
  const trial = new Trial(upstream);
  while (trial.onboard.record === null) trial.step('none', Infinity);
  const ours = trial.onboard.record.id;
  upstream.make(trial.now);
  for (let n = 0; n < 2; n += 1) {
    trial.say({ name: 'look' });
    const look = upstream.look(trial.run, trial.onboard, 'none', trial.now);
    if (n === 1) trial.say({ name: 'resolve', action: 'adopt', onboard_id: ours });
    applyLook(trial.onboard, 'check', look, trial.now, trial.now);
    trial.check();
    expect(trial.onboard.attention?.code).toBe(n === 0 ? 'duplicate' : undefined);
  }
  trial.step('none', Infinity);
  expect(trial.onboard.record).toMatchObject({ id: ours });
  expect([trial.onboard.attention, trial.onboard.adoption]).toEqual([undefined, undefined]);
});

test('two that were seen, and are not shown when they are looked for again: nothing is sent', () => {
  const upstream = new SimulatedLeadConduit(0);
  const trial = new Trial(upstream);
  upstream.make(trial.now);
  upstream.make(trial.now);
  trial.step('none', Infinity);
  expect(trial.onboard.attention?.code).toBe('duplicate');
  upstream.list = () => [];
  trial.say({ name: 'resolve', action: 'retry' });
  trial.step('none', Infinity);
  expect(trial.onboard).toMatchObject({ record: null, attention: { code: 'duplicate' } });
  expect(upstream.sent).toBe(0);
});

test('with the other of two adopted, what may be completed already is not completed without an order', () => {
  const upstream = new SimulatedLeadConduit(0);
  const trial = new Trial(upstream);
  while (trial.onboard.record === null) trial.step('none', Infinity);
  trial.say({ name: 'advance', to: 'completed' });
  while (trial.onboard.status !== 'completed') trial.step('none', Infinity);
  const { id } = upstream.make(trial.now);
  while (!trial.onboard.attention) trial.step('none', Infinity);
  trial.say({ name: 'resolve', action: 'adopt', onboard_id: id });
  trial.step('none', Infinity);
  expect(trial.onboard).toMatchObject({ record: { id }, status: 'created' });
  trial.say({ name: 'advance', to: 'completed' });
  while (trial.step('none', Infinity));
  expect(trial.onboard).toMatchObject({ attention: { code: 'unknown_outcome' } });
  expect(upstream.completions.get(id)).toBeUndefined();
});

test('what was never sent cannot be said to have taken effect', () => {
  const upstream = new SimulatedLeadConduit(0);
  const trial = new Trial(upstream);
  trial.say({ name: 'advance', to: 'in_progress' });
  while (trial.onboard.status !== 'in_progress') trial.step('none', Infinity);
  upstream.change({ status: 'created' }, trial.now);
  trial.say({ name: 'advance', to: 'completed' });
  while (!trial.onboard.attention) trial.step('none', Infinity);
  expect(trial.state).toMatchObject({
    attention: { code: 'unexpected_status' },
    actions: expect.not.arrayContaining(['resolve adopt']) as string[],
  });
});

test('held while a call cannot be sent: it waits, and does not look all the time', () => {
  const trial = new Trial(new SimulatedLeadConduit(SETTLE));
  while (trial.onboard.attention?.code !== 'not_sent') trial.step('too many', Infinity);
  trial.say({ name: 'hold' });
  expect(trial.step('none', Infinity)).toBe(false);
});

describe('a look that is asked for', () => {
  const create = (upstream: SimulatedLeadConduit) => {
    const trial = new Trial(upstream);
    while (trial.onboard.record === null) trial.step('none', Infinity);
    return trial;
  };
  const look = (onboard_ids?: string[]): Message => ({ name: 'look', onboard_ids });

  test('while the create is out, is made after it', () => {
    const upstream = new SimulatedLeadConduit(0);
    const trial = new Trial(upstream);
    const attempt = upstream.attempt.bind(upstream);
    upstream.attempt = (...args) => {
      const outcome = attempt(...args);
      upstream.make(trial.now);
      return outcome;
    };
    trial.step('none', Infinity, { message: look(), isBefore: false });
    while (trial.step('none', Infinity));
    expect(trial.onboard.attention?.code).toBe('duplicate');
  });

  test('and is answered by a list without an onboard that is known, is made again', () => {
    const upstream = new SimulatedLeadConduit(0);
    const trial = create(upstream);
    const { id } = upstream.make(trial.now);
    const list = upstream.list.bind(upstream);
    upstream.list = (now) => list(now).slice(0, 1);
    trial.say(look([trial.onboard.record?.id ?? '', id]));
    trial.step('none', Infinity);
    upstream.list = list;
    while (trial.step('none', Infinity));
    expect(trial.onboard.attention?.code).toBe('duplicate');
  });

  test('before the list can show what was just created, accuses nobody', () => {
    const trial = create(new SimulatedLeadConduit(2 * SETTLE));
    trial.say(look());
    while (trial.step('none', Infinity));
    expect(trial.state.timeline.map(({ event }) => event)).toEqual(['started', 'created', 'look_asked', 'checked']);
  });

  test('waits for the answer to a question that is open, and does not take its place', () => {
    const upstream = new SimulatedLeadConduit(SETTLE / 2);
    const trial = new Trial(upstream);
    trial.step('refused after', Infinity);
    trial.say(look());
    expect(trial.step('key', Infinity)).toBe(false);
    expect(trial.onboard.attention?.code).toBe('refused');
  });

  test('of a completed onboard with another flow, is told, and keeps nobody waiting', () => {
    const upstream = new SimulatedLeadConduit(0);
    const trial = new Trial(upstream, FLOWS[0]);
    trial.say({ name: 'advance', to: 'completed' });
    while (trial.onboard.status !== 'completed') trial.step('none', Infinity);
    upstream.change({ flow: FLOWS[1] }, trial.now);
    while (trial.step('none', Infinity));
    expect(trial.onboard.ended).toBe('done');
    expect(trial.state.timeline.map(({ detail }) => detail)).toContain(
      `LeadConduit shows one onboard, completed, for flow ${FLOWS[1]}`,
    );
  });
});

test('a flow that was taken away again before in_progress is not set again unasked', () => {
  const upstream = new SimulatedLeadConduit(0);
  const trial = new Trial(upstream, FLOWS[0]);
  while (trial.onboard.record === null) trial.step('none', Infinity);
  upstream.change({ flow: null }, trial.now);
  trial.say({ name: 'advance', to: 'in_progress' });
  while (trial.step('none', Infinity));
  expect(trial.onboard).toMatchObject({ status: 'created', attention: { code: 'flow_conflict' } });
});

test('what a run that was reset does not see is for a person, wherever it goes on from', () => {
  const upstream = new SimulatedLeadConduit(0);
  const trial = new Trial(upstream);
  trial.step('lost before', Infinity);
  while (trial.onboard.operation?.looks_without_it !== 2) trial.step('none', Infinity);
  trial.run = { id: 'run 2', isReset: true };
  while (trial.step('none', Infinity));
  expect(trial.onboard.attention?.code).toBe('unknown_outcome');
  expect(upstream.sent).toBe(1);
});

test('an order acts in the run that follows the one which asked for it', () => {
  const upstream = new SimulatedLeadConduit(0);
  const trial = new Trial(upstream);
  trial.beginAgain('ended', undefined);
  while (trial.onboard.attention?.code !== 'unknown_outcome') trial.step('none', Infinity);
  trial.renew();
  trial.say({ name: 'resolve', action: 'retry' });
  trial.step('none', Infinity);
  expect(upstream.sent).toBe(1);
});

test('a key that comes with other content is refused; an honest repeat changes nothing', () => {
  const onboard = begin({ invitation_id: INVITATION }, START);
  const verdictOn = (reason: string) => validate(onboard, { name: 'hold', key: 'k', reason, by: 'ann' });
  applyMessage(onboard, { name: 'hold', key: 'k', reason: 'one', by: 'ann' }, START);
  expect(verdictOn('one')).toEqual({ kind: 'repeat' });
  expect(verdictOn('two')).toEqual({ kind: 'refuse', why: 'its key was used before, for hold with other content' });
});

describe('reading a message', () => {
  test('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.anything()), (name, args) => {
        const message = parseMessage(name, args);
        const onboard = begin({ invitation_id: INVITATION }, START);
        applyMessage(onboard, message, START);
        expect(onboard.timeline.length).toBe(2);
      }),
    );
  });

  test('cuts every text', () => {
    const message = parseMessage('note', [{ text: 'x'.repeat(9_000), by: 'y'.repeat(900) }]);
    expect(message).toMatchObject({
      text: expect.stringMatching(/^x{1999}…$/) as string,
      by: expect.stringMatching(/^y{199}…$/) as string,
    });
  });
});
