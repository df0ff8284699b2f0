/** Answers to an attention: whether each is accepted, what it changes, and what it means. */
import { ACTION_NAMES, ACTIONS, meaningOf } from '../../src/onboard/actions';
import { validate } from '../../src/onboard/apply-message';
import { ATTENTION, ATTENTION_CODES, type AttentionCode } from '../../src/onboard/attention';
import type { Message } from '../../src/onboard/parse-message';
import { retryCompletes } from '../../src/onboard/view';
import { Given, listed, OTHER_FLOW, OURS, RUN, seen, THEIRS } from '../support/given';
import { AT } from '../support/questions';

const why = (given: Given, message: Message) => {
  const verdict = validate(given.onboard, message);
  return verdict.kind === 'refuse' ? verdict.why : verdict.kind;
};

describe.each(ATTENTION_CODES)('at the question %s', (code) => {
  const rule = ATTENTION[code];

  test('it is asked, and what goes away by itself does not keep the onboard waiting', () => {
    const given = AT[code]();
    expect(given.view).toMatchObject({ phase: 'attention', attention: { code }, waiting_for: { who: 'operator' } });
    expect(given.view.waiting_for.text).toBe(`${rule.waitsFor}: ${given.onboard.attention?.message ?? ''}`);
    expect(given.view.attention).not.toHaveProperty('evidence');
    expect(given.step().do === 'wait').toBe(rule.endedBy === 'answer');
  });

  test('an answer to another question, or to none, is refused', () => {
    const given = AT[code]();
    expect(why(given, { name: 'resolve', action: 'retry', attention: 'a0-x' })).toMatch(
      /^stale: it answers attention a0-x/,
    );
    expect(why(new Given(), { name: 'resolve', action: 'retry' })).toMatch(/nothing to resolve/);
    expect(why(given, { name: 'resolve', action: 'retry', attention: given.onboard.attention!.id })).toBe('accept');
  });

  test('retry answers it, and only what it says is an order to send', () => {
    const given = AT[code]().told({ name: 'resolve', action: 'retry', by: 'ann', reason: 'called them' });
    expect(given.onboard.attention).toBeUndefined();
    expect(given.events.slice(-2)).toEqual(['resolved', 'attention_cleared']);
    expect(given.onboard.timeline.at(-2)).toMatchObject({ by: 'ann', reason: 'called them', detail: `${code}: retry` });
    expect(given.onboard.operation?.approval).toEqual(rule.retry === 'sends' ? RUN : undefined);
    const step = given.step();
    if (rule.retry === 'looks') expect(step).toMatchObject({ do: 'look', at: given.now });
    else
      expect(step).toMatchObject(
        given.onboard.record === null || code !== 'flow_conflict' ? { do: 'act' } : { do: 'look' },
      );
  });

  test('adopt takes what is there, where anything can be', () => {
    const given = AT[code]();
    const adopt: Message = { name: 'resolve', action: 'adopt', onboard_id: OURS, by: 'ann' };
    const verdict = why(given, adopt);
    if (typeof rule.adopt === 'object')
      return expect(verdict).toBe(`nothing can be adopted while ${rule.adopt.refusedWhile}`);
    if (verdict !== 'accept') return expect(verdict).toBe('no call was sent whose effect could be adopted');
    given.told(adopt);
    expect(given.onboard.attention).toBeUndefined();
    if (given.onboard.record === null) {
      expect(given.step()).toEqual({ do: 'look', about: 'adoption', at: given.now });
      given.looked('adoption', listed(seen()));
      expect(given.view).toMatchObject({ status: 'created', phase: 'waiting', record: { id: OURS } });
      expect(given.onboard.origin).toBe('adopted');
    }
    return undefined;
  });
});

describe('adopting', () => {
  test('of a duplicate needs a name, keeps the one that is named, and rules out the other', () => {
    const given = AT.duplicate();
    expect(why(given, { name: 'resolve', action: 'adopt' })).toBe('name the onboard to keep with onboard_id');
    given.told({ name: 'resolve', action: 'adopt', onboard_id: THEIRS });
    given.looked('adoption', listed(seen(), seen('created', { id: THEIRS })));
    expect(given.onboard).toMatchObject({ record: { id: THEIRS }, ruled_out: [OURS], attention: undefined });
  });

  test('of one that the list does not show, or not any more alone, asks again', () => {
    const nothing = AT.refused().told({ name: 'resolve', action: 'adopt' }).looked('adoption', listed());
    expect(nothing.onboard.attention).toMatchObject({
      code: 'refused',
      message: "LeadConduit's list shows no onboard for this invitation: nothing was adopted. LeadConduit refused: no",
    });
    const two = AT.refused().told({ name: 'resolve', action: 'adopt' });
    two.looked('adoption', listed(seen(), seen('created', { id: THEIRS })));
    expect(two.onboard.attention?.code).toBe('duplicate');
    const unknown = AT.refused().told({ name: 'resolve', action: 'adopt', onboard_id: THEIRS });
    unknown.looked('adoption', listed(seen(), seen('created', { id: THEIRS })));
    expect(unknown.onboard.attention?.code).toBe('duplicate');
  });

  test('of a completing call is a person’s word, after which it is looked at once more', () => {
    const given = AT.unknown_outcome().told({ name: 'resolve', action: 'adopt', by: 'ann' });
    expect(given.view).toMatchObject({ status: 'completed', phase: 'confirming' });
    expect(given.onboard.ledger.at(-1)).toMatchObject({
      outcome: 'resolved',
      words: 'ann says that it took effect',
      onboard_id: OURS,
    });
    expect(given.onboard.timeline.at(-1)).toMatchObject({
      event: 'moved',
      by: 'ann',
      detail: 'completed, as somebody checked',
    });
    expect(given.step()).toEqual({ do: 'look', about: 'check', at: given.now + 60_000 });
  });

  test('by somebody who has seen the failure needs no look', () => {
    const given = AT.failed_upstream().told({ name: 'resolve', action: 'adopt' });
    expect(given.view.status).toBe('completed');
    expect(given.onboard.check?.why).not.toBe('asked');
  });

  test('of another onboard in place of ours starts anew, and what may be completed needs an order', () => {
    const given = new Given().created().moved('in_progress', 'completed').told({ name: 'look' });
    given.looked('check', listed(seen('completed'), seen('created', { id: THEIRS })));
    given.told({ name: 'resolve', action: 'adopt', onboard_id: THEIRS });
    given.looked('adoption', listed(seen('completed'), seen('created', { id: THEIRS })));
    expect(given.onboard).toMatchObject({
      ...{ record: { id: THEIRS }, target: 'created', maybe_sent_before: ['completed'], ruled_out: [OURS] },
      ...{ operation: undefined, check: undefined, agreed_flow: null },
    });
    expect(given.view).toMatchObject({ status: 'created', phase: 'waiting' });
  });

  test('of the flow that LeadConduit has makes it the one that is asked for', () => {
    const given = AT.flow_conflict().told({ name: 'resolve', action: 'adopt' });
    expect(given.view).toMatchObject({ requested_flow_id: OTHER_FLOW, attention: undefined, phase: 'waiting' });
  });
});

describe('a list that lacks an onboard', () => {
  test.each(['list_unreadable', 'absence_unproven'] as const)(
    'at %s: one that is gone is named with retry, and no other',
    (code) => {
      const given = AT[code]();
      expect(why(given, { name: 'resolve', action: 'retry', onboard_id: OURS })).toMatch(
        /^onboard_id must name an onboard/,
      );
      given.told({ name: 'resolve', action: 'retry', onboard_id: THEIRS });
      expect(given.onboard.gone).toEqual([THEIRS]);
    },
  );

  test('at another question no onboard can be named', () => {
    expect(why(AT.refused(), { name: 'resolve', action: 'retry', onboard_id: THEIRS })).toMatch(
      /^onboard_id must name an onboard/,
    );
  });
});

test('what may be done is what would be accepted, and each says what it does', () => {
  expect(AT.duplicate().view.actions).toEqual([...ACTION_NAMES.filter((action) => action !== 'release')]);
  expect(new Given().told({ name: 'hold' }).view.actions).toEqual([
    ...['advance in_progress', 'advance completed', 'release', 'cancel', 'note'],
  ]);
  for (const action of ACTION_NAMES) expect(action.split(' ')[0]).toBe(ACTIONS[action].message.name);
  const meaning = (code: AttentionCode) => meaningOf('resolve adopt', AT[code]().view);
  expect(meaning('duplicate')).toBe('keep the one that you name');
  expect(meaning('flow_conflict')).toBe('go on with the flow of the record');
  expect(meaning('refused')).toBe('adopt the onboard that the list shows');
  expect(meaning('unknown_outcome')).toBe('say that the call took effect, as you have checked');
  expect(meaningOf('resolve retry', AT.duplicate().view)).toMatch(/nothing is sent/);
  expect(meaningOf('resolve retry', AT.refused().view)).toMatch(/send the call once more/);
  expect(meaningOf('resolve retry', AT.credentials().view)).toMatch(/send what is due/);
  expect(meaningOf('hold', new Given().view)).toBe('send nothing until released');
});

test('whether a retry may complete is known before', () => {
  expect(retryCompletes(AT.unknown_outcome().view)).toBe(true);
  expect(retryCompletes(AT.refused().view)).toBe(false);
  expect(retryCompletes(new Given().created().moved('in_progress', 'completed').view)).toBe(false);
});
