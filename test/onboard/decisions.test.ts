/** The workflow's decisions where it is hard to say what is right, one life each, without a server. */
import { applyLook } from '../../src/onboard/apply-look';
import { applyMessage, validate } from '../../src/onboard/apply-message';
import type { Message } from '../../src/onboard/parse-message';
import { begin } from '../../src/onboard/state';
import { FLOWS, INVITATION, SETTLE, SimulatedLeadConduit } from '../support/simulated-leadconduit';
import { START, Trial } from '../support/trial';

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

test.each([
  ['shows ours as it was before', ['created', 'created'], undefined],
  ['lacks the one that was chosen, and others', ['in_progress'], ['c'.repeat(24)]],
])('an old list that %s answers no choice between two: it is read again', (_, statuses, lacks) => {
  const upstream = new SimulatedLeadConduit(0);
  const trial = new Trial(upstream);
  trial.say({ name: 'advance', to: 'in_progress' });
  while (trial.onboard.status !== 'in_progress') trial.step('none', Infinity);
  const ours = trial.onboard.record!.id;
  const { id: other } = upstream.make(trial.now);
  trial.say({ name: 'look' });
  trial.step('none', Infinity);
  trial.say({ name: 'resolve', action: 'adopt', onboard_id: lacks ? other : ours });
  const look = upstream.look(trial.run, trial.onboard, 'none', trial.now);
  if (look.kind !== 'seen') throw new Error(`a list was to be seen: ${look.kind}`);
  const onboards = look.onboards.flatMap((one, n) => {
    const status = statuses[n];
    return status === undefined ? [] : [{ record: { ...one.record, status }, status }];
  });
  applyLook(trial.onboard, 'adoption', { ...look, onboards, lacks }, trial.now, trial.now);
  expect(trial.onboard.attention).toBeUndefined();
  while (trial.step('none', Infinity));
  expect(trial.onboard).toMatchObject({ record: { id: lacks ? other : ours } });
  expect(trial.onboard.attention).toBeUndefined();
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
  while (trial.step('none', Infinity));
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
