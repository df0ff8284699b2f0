/**
 * The workflow's decisions by the thousand, without a server: random messages, faults, lags and new runs against a
 * LeadConduit that is a list and a clock. The promises are checked after every step.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hasReached, isStatus } from '../../src/onboard/lifecycle';
import type { Message } from '../../src/onboard/parse-message';
import { FAULTS, FLOWS, SETTLE, SimulatedLeadConduit } from '../support/simulated-leadconduit';
import { NEVER_SEEN, SEEN_LAST, Trial } from '../support/trial';

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

/** A hole that remains: once somebody has put it back as it was, or as our own call may have made it, nobody can know that a
 *  call without an answer had changed it. */
const isPutBackUnseen = ({ upstream, onboard }: Trial, to: { status?: string; flow?: string | null }): boolean => {
  const { latest } = upstream;
  if (!isStatus(latest) || hasReached(onboard.furthest ?? null, latest)) return false;
  const asOurs = [onboard.agreed_flow ?? null, ...(onboard.operation?.posted_flows ?? [])];
  return (isStatus(to.status) && !hasReached(to.status, latest)) || (to.flow !== undefined && asOurs.includes(to.flow));
};

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
      const to = { status: event.changed, flow: event.flow };
      if (may.change && !isPutBackUnseen(trial, to)) trial.upstream.change(to, trial.now);
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
