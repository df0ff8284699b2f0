/**
 * The workflow's decisions by the thousand, without a server: random messages, faults, lags and new runs against a
 * LeadConduit that is a list and a clock. The promises are checked after every step.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { LookResult, Outcome, SeenOnboard } from '../src/activities/outcomes';
import { absorbOutcome } from '../src/workflows/effect';
import { actionsOf, judge, receive } from '../src/workflows/inbox';
import { absorbLook } from '../src/workflows/looking';
import { nextStep } from '../src/workflows/next-step';
import type { OnboardState } from '../src/workflows/messages';
import { begin, intend, type Onboard } from '../src/workflows/onboard';
import { readMessage, type Message } from '../src/workflows/read-message';
import { datePhase, view } from '../src/workflows/view';

const SETTLE = 1_000;
const START = Date.parse('2026-01-01T00:00:00Z');
const ORDER = ['created', 'in_progress', 'completed'];
const INVITATION = 'a'.repeat(24);

/** `late`: it has its effect long after its answer was lost. */
const FAULTS = [
  'none',
  'lost before',
  'lost after',
  'not sent',
  'refused',
  'refused after',
  'key',
  'look',
  'late',
] as const;
type FaultName = (typeof FAULTS)[number];

/** LeadConduit: what it has done, and from when its list shows it. */
class Upstream {
  private readonly onboards: { id: string; changes: { status: string; shownAt: number }[] }[] = [];
  /** Of ours. */
  creates = 0;
  readonly completions = new Map<string, number>();

  constructor(
    private readonly lag: number,
    readonly presence = true,
  ) {}

  /** It lists what it did later than four settle times: then nobody can promise one onboard. */
  get isBeyond(): boolean {
    return this.lag > 4 * SETTLE;
  }

  list(now: number): SeenOnboard[] {
    return this.onboards.flatMap(({ id, changes }) => {
      const status = changes.filter(({ shownAt }) => shownAt <= now).at(-1)?.status;
      return status ? [{ status, record: { id, invitation_id: INVITATION, status } }] : [];
    });
  }

  make(now: number): { id: string } {
    const id = String(this.onboards.length).padStart(24, 'b');
    this.onboards.push({ id, changes: [{ status: 'created', shownAt: now }] });
    return { id };
  }

  /** @param shownAt when the list shows the effect. */
  private effect(effect: string, id: string | undefined, shownAt: number): SeenOnboard {
    if (effect === 'create') {
      this.creates += 1;
      return { status: 'created', record: { ...this.make(shownAt), invitation_id: INVITATION, status: 'created' } };
    }
    const onboard = this.onboards.find((one) => one.id === id)!;
    onboard.changes.push({ status: effect, shownAt });
    if (effect === 'completed') this.completions.set(onboard.id, (this.completions.get(onboard.id) ?? 0) + 1);
    return { status: effect, record: { id: onboard.id, invitation_id: INVITATION, status: effect } };
  }

  /** What the activity does: it looks, then acts. */
  attempt(effect: string, { record, ruled_out }: Onboard, fault: FaultName, now: number): Outcome {
    if (fault === 'look') return { kind: 'not_sent', words: 'no list', unusable_look: true };
    const listed = this.list(now).filter((seen) => !ruled_out.includes(seen.record.id));
    if (listed.length > 1) return { kind: 'duplicate', onboard_ids: listed.map((seen) => seen.record.id) };
    const own = effect === 'create' ? listed[0] : listed.find((seen) => seen.record.id === record?.id);
    const wanted = ORDER.indexOf(effect === 'create' ? 'created' : effect);
    if (own && ORDER.indexOf(own.status) >= wanted) return { kind: 'done', adopted: true, seen: own };
    if (effect !== 'create' && !own) return { kind: 'not_listed', words: 'it is not listed' };
    if (fault === 'not sent') return { kind: 'not_sent', words: 'refused connection' };
    if (fault === 'key') return { kind: 'credentials', words: 'no', http_status: 401 };
    if (fault === 'refused') return { kind: 'refused', words: 'no', http_status: 422, look_first: false };
    if (fault === 'lost before') return { kind: 'unknown', words: 'reset' };
    const late = fault === 'late' ? 2 * SETTLE : 0;
    const seen = this.effect(effect, own?.record.id, now + late + this.lag);
    if (fault === 'refused after') return { kind: 'refused', words: 'no', http_status: 409, look_first: true };
    if (fault === 'lost after' || late > 0) return { kind: 'unknown', words: 'reset', may_send_for_ms: late / 2 };
    return { kind: 'done', adopted: false, seen };
  }

  look(fault: FaultName, now: number): LookResult {
    if (fault === 'look') return { kind: 'unusable', words: 'no list' };
    if (fault === 'key') return { kind: 'credentials', words: 'no', http_status: 401 };
    return { kind: 'seen', onboards: this.list(now - 10), presence: this.presence };
  }
}

/** One onboard under test, with the promises that must hold after everything that happens to it. */
class Trial {
  onboard: Onboard = begin(
    { invitation_id: INVITATION, policy: { settle_ms: SETTLE, confirm_ms: 500, backoff_ms: 100 } },
    START,
  );
  now = START;
  private reached = -1;
  /** A completing call was lost: the next one needs a person's order. */
  private needsOrder = false;
  /** Repeats that a person ordered although the list could not be believed. */
  private orders = 0;
  private id: string | undefined;
  private readonly notes = new Map<string, number>();
  /** How far people asked it to go, and whether they cancelled it: beside the state, all that the rules ask for. */
  private asked = 0;
  private cancelled = false;
  hasSaidDuplicate = false;
  /** When LeadConduit was last asked for its list. */
  lookedAt = START;

  constructor(readonly upstream: Upstream) {}

  say(message: Message): void {
    const verdict = judge(this.onboard, message);
    const asked = this.onboard.attention?.code;
    const before = this.onboard.timeline.length + this.onboard.dropped.timeline;
    const offered = (actionsOf(this.onboard) as string[]).includes(nameOf(message));
    // `actions` names exactly what is accepted and changes something; ids and keys of a message may still speak against it.
    if (verdict.kind === 'accept') assert(offered, 'accepted, but not offered');
    if (verdict.kind === 'accept' && message.name === 'advance') this.asked = ORDER.indexOf(message.to);
    if (verdict.kind === 'accept' && message.name === 'cancel') this.cancelled = true;
    receive(this.onboard, message, this.now);
    if (verdict.kind === 'accept' && message.name === 'resolve') this.needsOrder = false;
    if (verdict.kind === 'accept' && nameOf(message) === 'resolve retry' && asked === 'absence_unproven')
      this.orders += 1;
    assert(this.onboard.timeline.length + this.onboard.dropped.timeline > before, 'a message left no line');
    if (verdict.kind === 'accept' && message.name === 'note' && message.key)
      this.notes.set(message.key, (this.notes.get(message.key) ?? 0) + 1);
    this.check();
  }

  /** One step of the workflow's body; false when it waits for people or has ended. */
  step(fault: FaultName, until: number): boolean {
    if (this.onboard.ended) return false;
    const step = nextStep(this.onboard, this.now);
    if (step.do === 'end') this.onboard.ended = step.how;
    else if (step.do === 'wait') {
      if (step.until === undefined || step.until > until) return false;
      this.now = step.until;
    } else if (step.do === 'look') {
      this.now += 10;
      if (fault !== 'look' && fault !== 'key') this.lookedAt = this.now - 10;
      absorbLook(this.onboard, step.about, this.upstream.look(fault, this.now), this.now - 10, this.now);
    } else {
      assert(!this.onboard.held && !this.onboard.cancelling, 'sent while held');
      intend(this.onboard, step.effect, this.now);
      assert.match(view(this.onboard, this.now).phase, /creating|updating|attention/);
      this.now += 10;
      assert(step.effect !== 'completed' || !this.needsOrder, 'completed again without an order');
      const outcome = this.upstream.attempt(step.effect, this.onboard, fault, this.now);
      this.needsOrder = step.effect === 'completed' && outcome.kind === 'unknown';
      absorbOutcome(this.onboard, outcome, this.now);
    }
    // A new run carries plain data only.
    this.onboard = JSON.parse(JSON.stringify(this.onboard)) as Onboard;
    this.check();
    return !this.onboard.ended;
  }

  check(): void {
    datePhase(this.onboard, this.now);
    const state = view(this.onboard, this.now);
    const rank = ORDER.indexOf(state.status ?? '');
    // Another onboard was taken in the place of ours: how far it is to go is to be said anew.
    if (this.id !== undefined && this.id !== state.record?.id) this.asked = 0;
    if (this.id !== state.record?.id) Object.assign(this, { id: state.record?.id, reached: -1 });
    this.hasSaidDuplicate ||= state.attention?.code === 'duplicate';
    assert.deepEqual(state.actions, allowed(state, this.asked, this.cancelled));
    if (rank >= 0 && !state.attention && state.phase !== 'unknown') {
      assert(rank >= this.reached, 'went back');
      this.reached = rank;
    }
    assert(this.upstream.isBeyond || this.upstream.creates <= 1 + this.orders, 'a second onboard');
    for (const count of this.upstream.completions.values()) assert(count <= 1, 'completed twice');
    for (const count of this.notes.values()) assert.equal(count, 1);
    assert.equal(state.phase === 'attention', !this.onboard.ended && state.attention !== undefined);
    assert(state.ledger.every(({ outcome }) => outcome !== 'pending'));
  }
}

/** What may be done, by the rules as people are told them, from nothing but what people are shown. */
function allowed(state: OnboardState, asked: number, cancelled: boolean): string[] {
  if (state.phase === 'done' || state.phase === 'cancelled') return [];
  if (cancelled) return ['note'];
  const { attention, held, record, ledger } = state;
  const isOurs = record === null || ORDER.includes(state.status ?? '');
  const reached = Math.max(asked, ORDER.indexOf(state.status ?? ''));
  const mayAdvance = (to: string) => isOurs && ORDER.indexOf(to) > reached;
  const wasMoved = ledger.at(-1) !== undefined && ledger.at(-1)?.effect !== 'create';
  const mayAdopt = (code: string) =>
    !['credentials', 'list_unreadable'].includes(code) &&
    (wasMoved || !['failed_upstream', 'unexpected_status', 'not_listed'].includes(code));
  return [
    ...['in_progress', 'completed'].filter(mayAdvance).map((to) => `advance ${to}`),
    ...(attention ? ['resolve retry'] : []),
    ...(attention && mayAdopt(attention.code) ? ['resolve adopt'] : []),
    held ? 'release' : 'hold',
    'cancel',
    'note',
  ];
}

const nameOf = (message: Message) =>
  message.name === 'advance'
    ? `advance ${message.to}`
    : message.name === 'resolve'
      ? `resolve ${message.action}`
      : message.name;

const key = fc.option(fc.constantFrom('k1', 'k2', 'k3'), { nil: undefined });
const messages: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    name: fc.constant('advance' as const),
    to: fc.constantFrom('in_progress' as const, 'completed' as const),
    key,
  }),
  fc.record({ name: fc.constant('hold' as const), key }),
  fc.record({ name: fc.constant('release' as const), key }),
  fc.record({ name: fc.constant('note' as const), text: fc.constant('text'), key }),
  fc.record({
    name: fc.constant('resolve' as const),
    action: fc.constantFrom('retry' as const, 'adopt' as const),
    onboard_id: fc.option(fc.constantFrom(...[0, 1].map((n) => String(n).padStart(24, 'b'))), { nil: undefined }),
    attention: fc.option(fc.constantFrom('a1', 'a2'), { nil: undefined }),
    key,
  }),
);
const events = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: messages },
    { weight: 3, arbitrary: fc.constantFrom(...FAULTS) },
    { weight: 1, arbitrary: fc.constantFrom('cancel' as const, 'another' as const) },
  ),
  { maxLength: 40 },
);

/** Another one each time; to play one again, put what was printed in its place. */
const seed = Date.now() | 0;
beforeAll(() => console.log(`the random lives have the seed ${seed}`));

type Play = (typeof events extends fc.Arbitrary<infer List> ? List : never) & unknown[];
interface May {
  cancel: boolean;
  another: boolean;
}

/** What happens to it; then all is well again, and somebody is there who decides: it always gets to its end. */
function live(trial: Trial, list: Play, may: May): void {
  for (const event of list) {
    if (typeof event === 'object') trial.say(event);
    else if (event === 'cancel' || event === 'another') {
      if (event === 'cancel' && may.cancel) trial.say({ name: 'cancel' });
      if (event === 'another' && may.another) trial.upstream.make(trial.now);
    } else for (let steps = 0; steps < 3; steps += 1) trial.step(event, trial.now + 2 * SETTLE);
  }
  for (let steps = 0; steps < 400 && !trial.onboard.ended; steps += 1) {
    if (trial.step('none', Infinity) && trial.onboard.attention?.code !== 'absence_unproven') continue;
    for (const message of [{ name: 'release' }, decision(trial), { name: 'advance', to: 'completed' }] as const)
      if (judge(trial.onboard, message).kind === 'accept') trial.say(message);
  }
  expect(trial.onboard.ended).toBe(trial.onboard.cancelling ? 'cancelled' : 'done');
}

function decision({ onboard, upstream, now }: Trial): Message {
  const code = onboard.attention?.code;
  if (code === 'duplicate') return { name: 'resolve', action: 'adopt', onboard_id: upstream.list(now)[0]?.record.id };
  // Somebody had said before that it was further on.
  return { name: 'resolve', action: code === 'unexpected_status' ? 'adopt' : 'retry' };
}

const RUNS = 5_000;
const may = fc.record({ cancel: fc.boolean(), another: fc.boolean() });

test(`${RUNS} random lives: at most one onboard and one completion, never back, never while held, nothing lost`, () => {
  fc.assert(
    fc.property(fc.nat(900), fc.boolean(), events, may, (lag, presence, list, allowances) =>
      live(new Trial(new Upstream(lag, presence)), list, allowances),
    ),
    { numRuns: RUNS, seed },
  );
});

test('where the list lags behind more than the settle times, a second onboard is possible, and said once the list shows it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 5 * SETTLE, max: 9 * SETTLE }), events, (lag, list) => {
      const trial = new Trial(new Upstream(lag));
      live(trial, list, { cancel: false, another: false });
      const wasShown = trial.upstream.list(trial.lookedAt).length > 1;
      assert(!wasShown || trial.hasSaidDuplicate, 'a second onboard was seen, and nobody was told');
    }),
    { numRuns: 1_000, seed },
  );
});

test('an effect that lands later than every settle time is the hole that remains: it is seen as a duplicate', () => {
  const upstream = new Upstream(0);
  const trial = new Trial(upstream);
  trial.step('lost before', Infinity);
  while (trial.onboard.record === null) trial.step('none', Infinity);
  upstream.make(trial.now);
  trial.check = () => undefined;
  while (trial.step('none', Infinity));
  expect(trial.onboard.attention?.code).toBe('duplicate');
});

describe('reading a message', () => {
  test('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.anything()), (name, args) => {
        const message = readMessage(name, args);
        const onboard = begin({ invitation_id: INVITATION }, START);
        receive(onboard, message, START);
        expect(onboard.timeline.length).toBe(2);
      }),
    );
  });

  test('cuts every text', () => {
    const message = readMessage('note', [{ text: 'x'.repeat(9_000), by: 'y'.repeat(900) }]);
    expect(message).toMatchObject({
      text: expect.stringMatching(/^x{1999}…$/) as string,
      by: expect.stringMatching(/^y{199}…$/) as string,
    });
  });
});
