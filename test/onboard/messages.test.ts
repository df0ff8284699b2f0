/** Messages that people send: whether each is accepted, and what it changes. */
import { validate } from '../../src/onboard/apply-message';
import type { Message } from '../../src/onboard/parse-message';
import { FLOW, Given, OTHER_FLOW } from '../support/given';
import { AT } from '../support/questions';

const why = (given: Given, message: Message) => {
  const verdict = validate(given.onboard, message);
  return verdict.kind === 'refuse' ? verdict.why : verdict.kind;
};

describe('advance', () => {
  test('is refused or changes nothing where it is there already', () => {
    const given = new Given().created();
    expect(why(given, { name: 'advance', to: 'in_progress' })).toBe('accept');
    given.told({ name: 'advance', to: 'in_progress', by: 'ann', reason: 'ready' });
    expect(given.onboard.timeline.at(-1)).toMatchObject({
      event: 'advance_asked',
      by: 'ann',
      reason: 'ready',
      detail: 'in_progress',
    });
    expect(why(given, { name: 'advance', to: 'in_progress' })).toBe('nothing');
    given.told({ name: 'advance', to: 'in_progress' });
    expect(given.onboard.timeline.at(-1)?.detail).toBe(
      'in_progress: this status is already reached or was already asked for',
    );
  });

  test('sets the flow until in_progress may have been sent, with a line of its own', () => {
    const given = new Given().created().told({ name: 'advance', to: 'in_progress', flow_id: FLOW, by: 'ann' });
    expect(given.onboard.requested_flow_id).toBe(FLOW);
    expect(given.onboard.timeline.slice(-2)).toMatchObject([
      { event: 'advance_asked' },
      { event: 'flow_set', by: 'ann', detail: FLOW },
    ]);
    given.told({ name: 'advance', to: 'in_progress', flow_id: FLOW });
    expect(given.events.filter((event) => event === 'flow_set')).toHaveLength(1);
    expect(why(given, { name: 'advance', to: 'completed', flow_id: OTHER_FLOW })).toBe('accept');
    given.tried('in_progress', { kind: 'unknown', words: 'reset' });
    expect(why(given, { name: 'advance', to: 'completed', flow_id: OTHER_FLOW })).toBe(
      `its flow is ${FLOW} and cannot be changed any more: in_progress was sent`,
    );
    expect(why(given, { name: 'advance', to: 'completed', flow_id: FLOW })).toBe('accept');
  });

  test('settles a conflict of flows, and is refused where the onboard stands at no status of ours', () => {
    const given = AT.flow_conflict().told({ name: 'advance', to: 'in_progress', flow_id: FLOW });
    expect(given.onboard).toMatchObject({ attention: undefined, agreed_flow: OTHER_FLOW, requested_flow_id: FLOW });
    expect(why(AT.unexpected_status(), { name: 'advance', to: 'in_progress' })).toBe(
      'LeadConduit shows the status "archived": resolve that first',
    );
  });
});

describe('hold, release, cancel, note and keys', () => {
  test('hold and release are refused where they change nothing', () => {
    const given = new Given().created();
    expect(why(given, { name: 'release' })).toBe('it is not held');
    given.told({ name: 'hold', by: 'ann', reason: 'no contract' });
    expect(given.onboard.timeline.at(-1)).toMatchObject({ event: 'held', by: 'ann', reason: 'no contract' });
    expect(why(given, { name: 'hold' })).toBe('it is held already');
    given.told({ name: 'release', by: 'bob' });
    expect(given.onboard).toMatchObject({ held: false });
    expect(given.onboard.timeline.at(-1)).toMatchObject({ event: 'released', by: 'bob' });
    given.moved('in_progress', 'completed');
    expect(why(given, { name: 'hold' })).toBe('nothing is left to send: it has reached completed');
  });

  test('one that is being cancelled takes notes only; one that has ended takes nothing but what it has reached', () => {
    const given = new Given().created().told({ name: 'cancel', by: 'ann', reason: 'wrong buyer' });
    expect(given.onboard.timeline.at(-1)).toMatchObject({ event: 'cancel_asked', by: 'ann', reason: 'wrong buyer' });
    expect(why(given, { name: 'hold' })).toBe('it is being cancelled');
    expect(why(given, { name: 'note', text: 'x' })).toBe('accept');
    given.onboard.ended = 'cancelled';
    expect(why(given, { name: 'note', text: 'x' })).toBe('the onboard is not followed any more: it was cancelled');
    expect(given.view).toMatchObject({
      phase: 'cancelled',
      waiting_for: { who: 'nobody' },
      next: undefined,
      actions: [],
    });
    const done = new Given().created().moved('in_progress', 'completed');
    done.onboard.ended = 'done';
    expect(why(done, { name: 'note', text: 'x' })).toBe('the onboard is completed');
    expect(why(done, { name: 'advance', to: 'completed' })).toBe('nothing');
  });

  test('a message that is refused is a line, and changes nothing else', () => {
    const given = new Given().told({ name: 'release', by: 'ann' });
    expect(given.onboard.timeline.at(-1)).toMatchObject({
      event: 'message_refused',
      by: 'ann',
      detail: 'release: it is not held',
    });
    given.told({ name: 'dance', unreadable: 'there is no message of this name' } as never);
    expect(given.onboard.timeline.at(-1)).toMatchObject({
      event: 'message_refused',
      detail: 'dance: there is no message of this name',
    });
  });

  test('a key acts once; with other content it is refused, and says for what it was used', () => {
    const given = new Given().created().told({ name: 'note', text: 'called', by: 'ann', key: 'k1' });
    expect(given.onboard.timeline.at(-1)).toMatchObject({ event: 'note', by: 'ann', detail: 'called' });
    expect(why(given, { name: 'note', text: 'called', by: 'ann', key: 'k1' })).toBe('repeat');
    expect(why(given, { name: 'note', text: 'other', by: 'ann', key: 'k1' })).toBe(
      'its key was used before, for note with other content',
    );
    expect(why(given, { name: 'hold', key: 'k1' })).toBe('its key was used before, for note');
    expect(why(given, { name: 'hold', key: 'k2' })).toBe('accept');
    given.told(
      { name: 'advance', to: 'in_progress', key: 'k3' },
      { name: 'note', text: 'called', by: 'ann', key: 'k1' },
    );
    expect(given.events.filter((event) => event === 'note')).toHaveLength(1);
    expect(why(given, { name: 'advance', to: 'completed', key: 'k3' })).toBe(
      'its key was used before, for advance in_progress',
    );
  });
});
