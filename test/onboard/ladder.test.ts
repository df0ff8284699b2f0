/** What an onboard does next, row by row as in docs/architecture.md, and the phase that people see. */
import { FLOW, Given, listed, OURS, seen, SETTLE, START, THEIRS } from '../support/given';

const NOT_SENT = { kind: 'not_sent', words: 'no connection' } as const;
const LOST = { kind: 'unknown', words: 'reset' } as const;

describe('a new onboard', () => {
  test('is created at once, and not before an earlier run can no longer send', () => {
    const given = new Given();
    expect(given.step()).toEqual({ do: 'act', effect: 'create', at: 0 });
    expect(given.view).toMatchObject({ status: null, phase: 'creating', waiting_for: { who: 'leadconduit' } });
    const later = new Given({ not_before: new Date(START + 5_000).toISOString() });
    expect(later.step()).toEqual({ do: 'act', effect: 'create', at: START + 5_000 });
    expect(later.view).toMatchObject({
      phase: 'creating',
      waiting_for: { who: 'time', text: 'the next try at creating the onboard' },
      next: { what: 'try at creating the onboard', at: new Date(START + 5_000).toISOString() },
    });
  });

  test('is not created while it is held, and ends when it is cancelled', () => {
    const given = new Given().told({ name: 'hold' });
    expect(given.step()).toEqual({ do: 'wait' });
    expect(given.view).toMatchObject({ phase: 'held', held: true, waiting_for: { who: 'operator' } });
    expect(given.told({ name: 'release' }).step()).toMatchObject({ do: 'act' });
    expect(given.told({ name: 'cancel' }).step()).toEqual({ do: 'end', how: 'cancelled' });
    expect(given.view.phase).toBe('cancelled');
  });
});

describe('a created onboard', () => {
  test('waits for somebody who says how far it may go', () => {
    const given = new Given().created();
    expect(given.step()).toEqual({ do: 'wait' });
    expect(given.view).toMatchObject({
      ...{ status: 'created', phase: 'waiting', next: undefined, attention: undefined },
      waiting_for: { who: 'operator', text: 'somebody to say that it may go on to in_progress' },
      actions: ['advance in_progress', 'advance completed', 'hold', 'cancel', 'note'],
    });
  });

  test('goes through in_progress to completed, and is looked at once more', () => {
    const given = new Given().created().told({ name: 'advance', to: 'completed' });
    expect(given.step()).toMatchObject({ do: 'act', effect: 'in_progress' });
    expect(given.view.phase).toBe('updating');
    given.tried('in_progress', { kind: 'done', adopted: false, seen: seen('in_progress') });
    expect(given.step()).toMatchObject({ do: 'act', effect: 'completed' });
    given.tried('completed', { kind: 'done', adopted: false, seen: seen('completed') });
    expect(given.step()).toEqual({ do: 'look', about: 'check', at: START + 60_000 });
    expect(given.view).toMatchObject({
      ...{ phase: 'confirming', status: 'completed', waiting_for: { who: 'time' } },
      next: { what: "look at LeadConduit's list", at: new Date(START + 60_000).toISOString() },
      actions: ['cancel', 'note'],
    });
    given.later(60_000).looked('check', listed(seen('completed')));
    expect(given.step()).toEqual({ do: 'end', how: 'done' });
    expect(given.ledger).toEqual(['create done', 'in_progress done', 'completed done']);
  });

  test('without a look after it, is done as soon as it is completed', () => {
    const policy = { settle_ms: SETTLE, confirm_ms: 0 };
    const given = new Given({ policy }).created().moved('in_progress', 'completed');
    expect(given.step()).toEqual({ do: 'end', how: 'done' });
  });

  test('that waits for completion says so', () => {
    expect(new Given().created().moved('in_progress').view.waiting_for).toEqual({
      ...{ who: 'operator', text: 'somebody to say that it may go on to completed' },
    });
  });
});

describe('a call that was not sent', () => {
  test('is tried again later and later; what LeadConduit asks for is waited for', () => {
    const given = new Given().tried('create', NOT_SENT);
    expect(given.step()).toMatchObject({ do: 'act', at: START + 100 });
    given.tried('create', NOT_SENT);
    expect(given.step()).toMatchObject({ do: 'act', at: START + 200 });
    given.tried('create', { ...NOT_SENT, retry_after_ms: 7_000 });
    expect(given.step()).toMatchObject({ do: 'act', at: START + 7_000 });
    expect(given.view.waiting_for).toEqual({
      ...{ who: 'time', text: 'the next try at creating the onboard. The last call was not sent: no connection' },
    });
    expect(given.ledger).toEqual(['create not_sent']);
    expect(given.onboard.timeline.at(-1)?.detail).toBe('3 times, the last: creating the onboard: no connection');
  });

  test('needs attention after twelve tries, and goes on by itself', () => {
    const given = new Given();
    for (let n = 0; n < 11; n += 1) given.tried('create', NOT_SENT);
    expect(given.onboard.attention).toBeUndefined();
    given.tried('create', NOT_SENT);
    expect(given.view).toMatchObject({ phase: 'attention', attention: { code: 'not_sent' } });
    expect(given.step()).toMatchObject({ do: 'act' });
    expect(given.created().onboard.attention).toBeUndefined();
  });

  test('because it was called back, goes on at once when it is released', () => {
    const given = new Given().told({ name: 'hold' }).tried('create', { ...NOT_SENT, called_back: true });
    expect(given.step()).toEqual({ do: 'wait' });
    expect(given.told({ name: 'release' }).step()).toMatchObject({ do: 'act', at: START });
  });

  test('for want of time, has longer the next time, and is tried at once', () => {
    const given = new Given().tried('create', { ...NOT_SENT, no_time: true, needs_ms: 90_000 });
    expect(given.onboard.policy.attempt_ms).toBe(90_000);
    expect(given.step()).toMatchObject({ do: 'act', at: START });
    given.tried('create', { ...NOT_SENT, no_time: true, needs_ms: 90_000 });
    expect(given.step()).toMatchObject({ do: 'act', at: START + 100 });
  });
});

describe('a call whose outcome is unknown', () => {
  test('is looked for at once, and absence counts from a settle time after it can no longer send', () => {
    const given = new Given().tried('create', { ...LOST, may_send_for_ms: 500 });
    expect(given.step()).toEqual({ do: 'look', about: 'effect', at: START });
    expect(given.view).toMatchObject({
      phase: 'unknown',
      waiting_for: { who: 'time', text: "LeadConduit's list, to see whether creating the onboard took effect" },
    });
    given.looked('effect', listed());
    expect(given.step()).toEqual({ do: 'look', about: 'effect', at: START + 500 + SETTLE });
    expect(given.events).not.toContain('absent');
    given.later(500 + SETTLE).looked('effect', listed());
    expect(given.step()).toEqual({ do: 'look', about: 'effect', at: START + 500 + 2 * SETTLE });
  });

  test('is settled by a look that was asked for before it counts only where the effect is there', () => {
    const given = new Given().tried('create', LOST).later(SETTLE);
    given.looked('effect', listed(), START);
    expect(given.onboard.operation?.looks_without_it).toBe(0);
    given.looked('effect', listed(seen()), START);
    expect(given.view).toMatchObject({ status: 'created', phase: 'waiting' });
    expect(given.ledger).toEqual(['create adopted']);
  });

  test('is settled even while it is held, and before a cancel ends it', () => {
    const given = new Given().tried('create', LOST).told({ name: 'hold' });
    expect(given.step()).toMatchObject({ do: 'look', about: 'effect' });
    expect(given.told({ name: 'cancel' }).step()).toMatchObject({ do: 'look', about: 'effect' });
    given.looked('effect', listed(seen()));
    expect(given.step()).toEqual({ do: 'end', how: 'cancelled' });
  });

  test('is not waited for for ever by a cancel where the list tells nothing', () => {
    const given = new Given().tried('create', LOST).later(SETTLE);
    given.looked('effect', { ...listed(), proves_absence: false } as never);
    expect(given.onboard.attention?.code).toBe('absence_unproven');
    given.told({ name: 'cancel' });
    expect(given.step()).toMatchObject({ do: 'look' });
    expect(given.later(4 * SETTLE).step()).toEqual({ do: 'end', how: 'cancelled' });
    given.onboard.ended = 'cancelled';
    expect(given.view.waiting_for.text).toMatch(
      /The outcome of a create call is unknown: the onboard may be in LeadConduit/,
    );
  });

  test.each([
    ['create', []],
    ['in_progress', [seen()]],
  ] as const)(
    'of %s is sent once more when three looks have proven that it is missing, and then asks',
    (effect, there) => {
      const given = new Given();
      if (effect !== 'create') given.created().told({ name: 'advance', to: 'in_progress' });
      given.lost(effect, listed(...there));
      expect(given.onboard.attention).toBeUndefined();
      expect(given.step()).toMatchObject({ do: 'act', effect });
      expect(given.events.filter((event) => event === 'absent')).toHaveLength(3);
      expect(given.events).toContain('repeated');
      given.lost(effect, listed(...there));
      expect(given.onboard.attention?.code).toBe('unknown_outcome');
      expect(given.step()).toEqual({ do: 'wait' });
    },
  );

  test('of the completing call is never sent again by itself', () => {
    const given = new Given().created().moved('in_progress').told({ name: 'advance', to: 'completed' });
    given.lost('completed', listed(seen('in_progress')));
    expect(given.onboard.attention?.code).toBe('unknown_outcome');
    expect(given.view.actions).toEqual(['resolve retry', 'resolve adopt', 'hold', 'cancel', 'note']);
  });

  test('of a create that an earlier run may have made is never sent again by itself', () => {
    const given = new Given({ not_before: new Date(START).toISOString() }).lost('create', listed());
    expect(given.onboard.attention?.code).toBe('unknown_outcome');
  });

  test('of a create, found at a status that we do not know, is adopted and for a person', () => {
    const given = new Given().tried('create', LOST).looked('effect', listed(seen('archived')));
    expect(given.ledger).toEqual(['create adopted']);
    expect(given.view).toMatchObject({ status: 'archived', attention: { code: 'unexpected_status' } });
    expect(given.onboard).toMatchObject({ origin: 'adopted', operation: undefined });
  });

  test('of a PUT, found at "failed", is for a person', () => {
    const given = new Given().created().moved('in_progress').told({ name: 'advance', to: 'completed' });
    given.tried('completed', LOST).looked('effect', listed(seen('failed')));
    expect(given.view).toMatchObject({ status: 'failed', attention: { code: 'failed_upstream' } });
    expect(given.onboard.operation?.effect).toBe('completed');
  });

  test('is not proven to be missing by a list that does not show the onboard itself, or lacks another', () => {
    for (const look of [listed(), { ...listed(seen()), lacks: [THEIRS] }]) {
      const given = new Given().created().told({ name: 'advance', to: 'in_progress' }).tried('in_progress', LOST);
      given.later(SETTLE).looked('effect', look);
      expect(given.onboard.attention?.code).toBe('absence_unproven');
      expect(given.step()).toEqual({ do: 'look', about: 'effect', at: given.now + SETTLE });
      given.later(SETTLE).looked('effect', listed(seen()));
      expect(given.onboard.attention).toBeUndefined();
    }
  });
});

describe('a refusal', () => {
  test('is for a person; one that may mean "it exists" is looked up first', () => {
    const no = { kind: 'refused', words: 'no', http_status: 422 } as const;
    expect(new Given().tried('create', { ...no, look_first: false }).onboard.attention?.code).toBe('refused');
    const given = new Given().tried('create', { ...no, http_status: 409, look_first: true });
    expect(given.onboard.attention).toBeUndefined();
    expect(given.step()).toMatchObject({ do: 'look', about: 'effect', at: START });
    given.looked('effect', listed());
    expect(given.onboard.attention).toMatchObject({ code: 'refused', message: 'LeadConduit refused: no' });
    given.told({ name: 'resolve', action: 'retry' });
    expect(given.step()).toMatchObject({ do: 'act', effect: 'create', at: START + SETTLE });
  });

  test('of our key is tried again by itself, later and later, and cleared by whatever works', () => {
    const no = { kind: 'credentials', words: 'no such key', http_status: 401 } as const;
    const given = new Given().tried('create', { ...no, at_look: true });
    expect(given.onboard.attention?.code).toBe('credentials');
    expect(given.step()).toMatchObject({ do: 'act', at: START + 100 });
    given.tried('create', no);
    // It may have been carried out: the look before the next try is to see it.
    expect(given.step()).toMatchObject({ do: 'act', at: START + SETTLE });
    expect(given.onboard.operation?.possible_sends).toBe(1);
    given.told({ name: 'hold' });
    expect(given.step()).toMatchObject({ do: 'look', about: 'health' });
    given.looked('health', listed());
    expect(given.onboard.attention).toBeUndefined();
    expect(given.step()).toEqual({ do: 'wait' });
  });
});

describe('a look that somebody has asked for', () => {
  test('comes at once, and the check that was due comes after it', () => {
    const given = new Given().created().moved('in_progress', 'completed').told({ name: 'look' });
    expect(given.step()).toEqual({ do: 'look', about: 'check', at: START });
    expect(given.view).toMatchObject({
      phase: 'unknown',
      waiting_for: { who: 'time', text: "LeadConduit's list, to see the current state" },
    });
    given.looked('check', listed(seen('completed')));
    expect(given.step()).toEqual({ do: 'look', about: 'check', at: START + 60_000 });
  });

  test('follows what LeadConduit shows: further on, back, failed, gone', () => {
    const look = (status: string) =>
      new Given()
        .created()
        .told({ name: 'look' })
        .looked('check', listed(seen(status)));
    expect(look('in_progress').view).toMatchObject({ status: 'in_progress', phase: 'waiting' });
    expect(look('failed').view.attention?.code).toBe('failed_upstream');
    const gone = new Given().created().told({ name: 'look' });
    for (let n = 0; n < 5; n += 1) gone.later(60_000).looked('check', listed());
    expect(gone.onboard.attention?.code).toBe('not_listed');
    const back = new Given().created().moved('in_progress').told({ name: 'look' });
    for (let n = 0; n < 5; n += 1) back.later(60_000).looked('check', listed(seen('created')));
    expect(back.view.attention).toMatchObject({ code: 'unexpected_status' });
  });

  test('shows another flow, which is for a person', () => {
    const given = new Given({ flow_id: FLOW }).created(FLOW).told({ name: 'look' });
    given.looked('check', listed(seen('created', { flow_id: 'd'.repeat(24) })));
    expect(given.view.attention?.code).toBe('flow_conflict');
    given.told({ name: 'resolve', action: 'adopt' });
    expect(given.view).toMatchObject({ requested_flow_id: 'd'.repeat(24), phase: 'waiting' });
  });

  test('shows a second onboard, and nothing is sent', () => {
    const given = new Given().created().told({ name: 'look' });
    given.looked('check', listed(seen(), seen('created', { id: THEIRS })));
    expect(given.view.attention).toMatchObject({ code: 'duplicate', message: expect.stringContaining(OURS) as string });
  });
});
