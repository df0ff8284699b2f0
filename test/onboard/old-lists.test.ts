/** A list that is old, incomplete, or from before a question was asked neither answers that question nor takes it away. */
import type { LookResult, Outcome } from '../../src/onboard/outcome';
import { OLD_LOOKS } from '../../src/onboard/schedule';
import { Given, listed, OURS, seen, SETTLE, THEIRS } from '../support/given';
import { AT } from '../support/questions';

const FOURTH = '4'.repeat(24);
const both = listed(seen(), seen('created', { id: THEIRS }));
const lacking = (look: LookResult): LookResult => ({ ...look, lacks: [FOURTH] }) as LookResult;
const dated = (status: string, updated_at: string) => {
  const one = seen(status);
  return { ...one, record: { ...one.record, updated_at } };
};
const [BEFORE, AFTER] = ['2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z'];

/** Makes the looks that follow, all with this list, until something else comes. */
function looked(given: Given, look: LookResult): number {
  for (let n = 0; n < 20; n += 1) {
    const step = given.step();
    if (step.do !== 'look') return n;
    given.now = Math.max(given.now, step.at);
    given.looked(step.about, look);
  }
  throw new Error('it looks for ever');
}

/** Ours stands at in_progress, and an attempt at completing it is due. */
const due = () => {
  const given = new Given().created();
  given.told({ name: 'advance', to: 'in_progress' });
  given.tried('in_progress', { kind: 'done', adopted: false, seen: dated('in_progress', AFTER) });
  return given.told({ name: 'advance', to: 'completed' });
};
const stale: Outcome = { kind: 'unexpected', seen: dated('created', BEFORE), may_be_old: true };

describe('which onboard is gone', () => {
  test('is an answer about the list, and no order to send a call whose outcome is unknown', () => {
    const given = due().tried('completed', { kind: 'unknown', words: 'reset' }).later(SETTLE);
    given.looked('effect', lacking(listed(seen('in_progress'))));
    expect(given.onboard.attention?.code).toBe('absence_unproven');
    given.told({ name: 'resolve', action: 'retry', onboard_id: FOURTH });
    expect(given.onboard).toMatchObject({ gone: [FOURTH], operation: { stage: 'unknown' } });
    expect(given.onboard.operation?.approval).toBeUndefined();
    expect(given.step()).toMatchObject({ do: 'look', about: 'effect', at: given.now });
  });

  test('without it, retry is that order', () => {
    const given = AT.absence_unproven().told({ name: 'resolve', action: 'retry' });
    expect(given.step()).toMatchObject({ do: 'act', effect: 'create' });
  });
});

describe('of two onboards that a person looks for again', () => {
  const asked = () => {
    const given = new Given().created().told({ name: 'look' }).looked('check', both);
    expect(given.onboard.attention?.code).toBe('duplicate');
    return given.told({ name: 'resolve', action: 'retry' });
  };

  test('one is believed to be gone only after several lists without it', () => {
    const given = asked();
    given.looked('check', listed(seen()));
    expect(given.step()).toMatchObject({ do: 'look', about: 'check' });
    expect(looked(given, listed(seen()))).toBe(OLD_LOOKS - 1);
    expect(given.onboard.attention).toBeUndefined();
    expect(given.events.at(-1)).toBe('checked');
  });

  test('both are told again as soon as a list shows them', () => {
    const given = asked().looked('check', listed(seen()));
    expect(looked(given, both)).toBe(1);
    expect(given.onboard.attention?.code).toBe('duplicate');
  });

  test('none is adopted on the word of one list, where none was known as ours', () => {
    const given = AT.duplicate().told({ name: 'resolve', action: 'retry' });
    given.looked('adoption', listed(seen()));
    expect(given.onboard).toMatchObject({ record: null, attention: undefined });
    expect(looked(given, both)).toBe(1);
    expect(given.onboard.attention?.code).toBe('duplicate');
  });
});

describe('the look that a worker asked for, with the onboards that a list has shown', () => {
  const told = { name: 'look', onboard_ids: [OURS, THEIRS, FOURTH] } as const;

  test('is still made after a person has changed to another onboard', () => {
    const given = new Given().created().told({ name: 'look' }).looked('check', both);
    given.told({ name: 'resolve', action: 'adopt', onboard_id: THEIRS });
    given.told({ ...told, onboard_ids: [...told.onboard_ids] });
    given.looked('adoption', both);
    expect(given.onboard.record?.id).toBe(THEIRS);
    looked(given, both);
    expect(given.onboard.attention?.message).toContain(FOURTH);
  });

  test('is not used up by a look that comes while a choice is carried out', () => {
    const given = new Given().created().told({ name: 'look' }).looked('check', both);
    given.told({ ...told, onboard_ids: [...told.onboard_ids] });
    given.told({ name: 'resolve', action: 'adopt', onboard_id: OURS });
    given.looked('check', both);
    expect(given.onboard.check?.listed).toContain(FOURTH);
    looked(given, both);
    expect(given.onboard.attention?.message).toContain(FOURTH);
  });
});

test('a record that the list has shown since is not missing for all that time', () => {
  const given = due().tried('completed', { kind: 'not_listed', words: 'It is not listed.' });
  given.later(SETTLE).tried('completed', { kind: 'not_sent', words: 'too many', http_status: 429 });
  given.later(60 * SETTLE).tried('completed', { kind: 'not_listed', words: 'It is not listed.' });
  expect(given.onboard.attention).toBeUndefined();
  given.tried('completed', { kind: 'not_sent', words: 'no list', unusable_look: true });
  given.later(4 * SETTLE).tried('completed', { kind: 'not_listed', words: 'It is not listed.' });
  expect(given.onboard.attention?.code).toBe('not_listed');
});

test('whoever asks for looks again and again does not keep an onboard from getting on', () => {
  const given = due();
  for (let n = 1; n < OLD_LOOKS; n += 1) {
    given.told({ name: 'look' }).looked('check', listed(dated('created', BEFORE)));
    expect(given.onboard.attention).toBeUndefined();
  }
  given.told({ name: 'look' }).looked('check', listed(dated('created', BEFORE)));
  expect(given.onboard.attention?.code).toBe('unexpected_status');
});

test('an order lasts until it was acted on: an old list is no action', () => {
  const given = AT.unknown_outcome().told({ name: 'resolve', action: 'retry' });
  const { approval } = given.onboard.operation!;
  expect(approval).toBeDefined();
  expect(given.tried('completed', stale).onboard.operation?.approval).toEqual(approval);
});

test('an old list proves no absence, until several in a row say the same', () => {
  const given = due().tried('completed', { kind: 'unknown', words: 'reset' });
  const old = listed(dated('created', BEFORE));
  for (let n = 1; n < OLD_LOOKS; n += 1) {
    given.later(4 * SETTLE).looked('effect', old);
    expect(given.events).not.toContain('absent');
  }
  given.later(4 * SETTLE).looked('effect', old);
  expect(given.events).toContain('absent');
});

test('old lists count only where they come in a row', () => {
  const given = due().tried('completed', { kind: 'unknown', words: 'reset' });
  const [old, whole] = [listed(dated('created', BEFORE)), listed(dated('in_progress', AFTER))];
  for (const look of [old, old, old, old, whole, old, old, old, old]) given.later(4 * SETTLE).looked('effect', look);
  expect(given.events.filter((event) => event === 'absent')).toHaveLength(1);
});

describe('an attention about the key or the list', () => {
  test('that the key is refused, ends with any list that was read', () => {
    const given = due().tried('completed', { kind: 'credentials', words: 'no', http_status: 401, at_look: true });
    given.told({ name: 'look' }).looked('check', listed(dated('created', BEFORE)));
    expect(given.onboard.attention).toBeUndefined();
    const other = due().tried('completed', { kind: 'credentials', words: 'no', http_status: 401, at_look: true });
    other.tried('completed', { kind: 'not_sent', words: 'a part', unusable_look: true, lacks: [FOURTH] });
    expect(other.onboard.attention).toBeUndefined();
  });

  test('that the list cannot be relied on, does not end with another one that cannot', () => {
    const given = due();
    for (let n = 0; n < 5; n += 1)
      given.tried('completed', { kind: 'not_sent', words: 'a part', unusable_look: true, lacks: [FOURTH] });
    const { attention } = given.onboard;
    expect(attention?.code).toBe('list_unreadable');
    given.told({ name: 'look' }).looked('check', lacking(listed(seen('in_progress'))));
    expect(given.onboard.attention).toEqual(attention);
    expect(given.step()).toMatchObject({ do: 'look', about: 'check', at: given.now + SETTLE });
    looked(given, listed(seen('in_progress')));
    expect(given.onboard.attention).toBeUndefined();
  });
});

test('whoever asks for a look is answered by one that was sent after that', () => {
  const given = new Given().created().told({ name: 'look' });
  const sent = given.now;
  given.later(10).told({ name: 'look' }).later(10).looked('check', listed(seen()), sent);
  expect(given.step()).toMatchObject({ do: 'look', about: 'check' });
  expect(given.events).not.toContain('checked');
});

describe('what is said of an onboard that is not followed any more', () => {
  const words = (given: Given) => {
    given.onboard.ended = 'cancelled';
    return given.view.waiting_for.text;
  };

  test('keeps a lost completing call in view, whatever was not sent since', () => {
    const given = due().tried('completed', { kind: 'unknown', words: 'reset' });
    given.onboard.operation!.stage = 'due';
    given.tried('completed', { kind: 'not_sent', words: 'called back', called_back: true });
    expect(words(given)).toContain('The outcome of the call for completed is unknown.');
  });

  test('speaks of no call for another onboard than the one that is named', () => {
    const given = AT.unknown_outcome();
    given.told({ name: 'look', onboard_ids: [OURS, THEIRS] }, { name: 'resolve', action: 'retry' });
    const two = listed(seen('in_progress'), seen('created', { id: THEIRS }));
    looked(given, two);
    given.told({ name: 'resolve', action: 'adopt', onboard_id: THEIRS }).looked('adoption', two);
    expect(given.onboard.record?.id).toBe(THEIRS);
    expect(words(given)).not.toContain('unknown');
  });

  test('says that a create of an earlier run may have worked', () => {
    expect(words(new Given({ not_before: '2026-01-01T00:01:00Z' }))).toContain(
      'The outcome of a create call is unknown',
    );
  });
});
