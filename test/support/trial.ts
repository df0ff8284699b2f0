import assert from 'node:assert/strict';
import { applyLook } from '../../src/onboard/apply-look';
import { applyMessage, validate } from '../../src/onboard/apply-message';
import { applyOutcome } from '../../src/onboard/apply-outcome';
import { handOver, takeOver } from '../../src/onboard/carry-over';
import type { OnboardInput } from '../../src/onboard/input';
import { iso } from '../../src/onboard/journal';
import { EFFECT_NAMES, type Effect } from '../../src/onboard/lifecycle';
import { nextStep } from '../../src/onboard/next-step';
import type { Message } from '../../src/onboard/parse-message';
import { begin, intend, type OnboardState } from '../../src/onboard/state';
import { datePhase, view, type OnboardView } from '../../src/onboard/view';
import { Model, nameOf } from './model';
import {
  ATTEMPT,
  BACKOFF,
  INVITATION,
  ORDER,
  SETTLE,
  type FaultName,
  type SimulatedLeadConduit,
} from './simulated-leadconduit';

export const START = Date.parse('2026-01-01T00:00:00Z');
const POLICY = {
  settle_ms: SETTLE,
  attempt_ms: ATTEMPT,
  confirm_ms: 500,
  backoff_ms: BACKOFF,
  credentials_backoff_ms: BACKOFF,
};

const TELLING = ['timeline', 'weights', 'dropped', 'phase', 'since'];

/** A message that comes while a call is out: before its bytes leave, or after. */
interface Meanwhile {
  message: Message;
  isBefore: boolean;
}
/** The state without the parts that only report. */
const substance = (onboard: OnboardState) =>
  JSON.stringify(onboard, (key, value: unknown) => (TELLING.includes(key) ? undefined : value));

/** The most looks within a settle time; a back-off that doubles makes fewer. */
const LOOKS = 8;

/** Which attention a `resolve` says that it answers. */
export const [SEEN_LAST, NEVER_SEEN] = ['the one seen last', 'a1'];

/** One onboard under test, with the promises that must hold after everything that happens to it. */
export class Trial {
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
  /** An earlier run may have made this run's calls: none that cannot be undone is repeated unless a person says so. */
  private isDoubtful = false;
  private isCleared = false;
  /** Repeats that a person ordered of effects that the list could not show them. */
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
    // Whoever repeats a key does so under the same name, with the same content or another.
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
      // Whoever says which onboard is gone orders nothing.
      const isOrder = message.action === 'adopt' || message.onboard_id === undefined;
      this.needsOrder &&= !isOrder;
      this.isCleared ||= isOrder;
      if (message.action === 'retry' && isOrder) this.ordered(asked);
      this.isSaidToBeDone ||= message.action === 'adopt' && this.lastCall.effect === 'completed';
    }
    if (verdict === 'accept') this.decideFlow(message, state);
    this.check();
  }

  /** A person who names a flow, or takes the one that is there, has seen the flow of the record. */
  private decideFlow(message: Message, { attention, record }: OnboardView): void {
    const isTaken = message.name === 'resolve' && message.action === 'adopt' && attention?.code === 'flow_conflict';
    const isNamed = message.name === 'advance' && message.flow_id !== undefined;
    if (record && (isTaken || isNamed)) this.upstream.agreeOn(record.id, record.flow_id ?? null);
  }

  /** Counts what is beyond the promise: orders to repeat a call that took effect, because the list did not show the effect. */
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

  /** The history has grown long: the onboard goes on in a new run, as if nothing had happened. */
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
    // Nobody starts a run after one that is done; before any other run, every call may have been made.
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
