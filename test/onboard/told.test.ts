/** What a person is told stays true: of a list that cannot be relied on, of two onboards, of a question that is open. */
import { Doubles } from '../../src/activities/doubles';
import { applyLook } from '../../src/onboard/apply-look';
import { applyMessage, validate } from '../../src/onboard/apply-message';
import { applyOutcome } from '../../src/onboard/apply-outcome';
import { nextStep } from '../../src/onboard/next-step';
import type { LookResult, SeenOnboard } from '../../src/onboard/outcome';
import type { Message } from '../../src/onboard/parse-message';
import { begin, intend, type OnboardState } from '../../src/onboard/state';
import { readLook, type Look } from '../../src/leadconduit/shared-looks';

const INVITATION = 'a'.repeat(24);
const [OURS, THEIRS, GONE, OTHER] = ['1', '2', '3', '4'].map((digit) => digit.repeat(24)) as [
  string,
  string,
  string,
  string,
];
let now: number;
let onboard: OnboardState;
beforeEach(() => {
  now = Date.parse('2026-01-01T00:00:00Z');
  onboard = begin({ invitation_id: INVITATION, policy: { settle_ms: 1_000, confirm_ms: 60_000 } }, now);
});

const seen = (id: string, status = 'created'): SeenOnboard => ({
  record: { id, invitation_id: INVITATION, status },
  status,
});
const listing = (...ids: string[]): LookResult => ({
  kind: 'seen',
  onboards: ids.map((id) => seen(id)),
  proves_absence: true,
});
const FAILED: LookResult = { kind: 'unusable', words: 'connection refused' };

/** Makes the next look, whenever it is due. */
function look(result: LookResult): void {
  const step = nextStep(onboard, now);
  if (step.do !== 'look') throw new Error(`it does not look: ${JSON.stringify(step)}`);
  now = Math.max(now, step.at);
  applyLook(onboard, step.about, result, now, now);
}
/** Makes the next attempt, whose look at the list is no good. */
function attempt(words: string, lacks?: string[]): void {
  const step = nextStep(onboard, now);
  if (step.do !== 'act') throw new Error(`it does not act: ${JSON.stringify(step)}`);
  now = Math.max(now, step.at);
  intend(onboard, step.effect, now);
  applyOutcome(onboard, { kind: 'not_sent', words, unusable_look: true, lacks }, now);
}
const say = (message: Message) => applyMessage(onboard, message, now);
const create = () => {
  intend(onboard, 'create', now);
  applyOutcome(onboard, { kind: 'done', adopted: false, seen: seen(OURS) }, now);
};
const events = () => onboard.timeline.map(({ event }) => event);
const message = () => onboard.attention?.message;

describe('a list that cannot be relied on', () => {
  test('is told for what is wrong with it now, with the onboard to name', () => {
    for (let n = 0; n < 5; n += 1) attempt('connection refused');
    expect(message()).toMatch(/could not be read 5 times in a row.*connection refused/);
    const { id } = onboard.attention!;
    attempt('it lacks one', [GONE]);
    expect(message()).toMatch(new RegExp(`could not be relied on.*${GONE} was removed, resolve this with retry`));
    attempt('it lacks another', [OTHER]);
    expect(message()).toContain(OTHER);
    expect(onboard.attention?.id).toBe(id);
    expect(validate(onboard, { name: 'resolve', action: 'retry', onboard_id: GONE }).kind).toBe('refuse');
    expect(validate(onboard, { name: 'resolve', action: 'retry', onboard_id: OTHER }).kind).toBe('accept');
  });

  test('stays told, and may be answered, when a look fails in between', () => {
    for (let n = 0; n < 5; n += 1) attempt('it lacks one', [GONE]);
    attempt('connection refused');
    expect(message()).toContain(GONE);
    expect(validate(onboard, { name: 'resolve', action: 'retry', onboard_id: GONE }).kind).toBe('accept');
  });

  test('is no better for a look that is made while it is held, and lacks one, too', () => {
    for (let n = 0; n < 5; n += 1) attempt('it lacks one', [GONE]);
    say({ name: 'hold' });
    look({ ...(listing() as object), lacks: [GONE] } as LookResult);
    expect(onboard.attention?.code).toBe('list_unreadable');
    look(listing());
    expect(onboard.attention).toBeUndefined();
  });
});

describe('a second onboard that a list has shown', () => {
  const told: Message = { name: 'look', onboard_ids: [OURS, THEIRS] };

  test('is told in the end, however many lists do not show it', () => {
    create();
    say(told);
    for (let n = 0; n < 5; n += 1) look(listing(OURS));
    expect(onboard.attention?.code).toBe('duplicate');
    expect(message()).toContain(THEIRS);
    expect(events()).not.toContain('checked');
  });

  test('is not forgotten when a list has shown yet another one', () => {
    create();
    say(told);
    say({ name: 'look', onboard_ids: [OURS, OTHER] });
    for (let n = 0; n < 5; n += 1) look(listing(OURS));
    expect(message()).toContain(THEIRS);
    expect(message()).toContain(OTHER);
  });

  test('is not given up sooner for looks that fail', () => {
    create();
    say(told);
    for (let n = 0; n < 4; n += 1) look(FAILED);
    look(listing(OURS));
    expect(events()).not.toContain('checked');
    expect(onboard.check?.why).toBe('asked');
    look(listing(OURS, THEIRS));
    expect(onboard.attention?.code).toBe('duplicate');
  });

  test('is still looked for when the answer to a call comes in between', () => {
    create();
    say({ name: 'advance', to: 'completed' });
    for (const to of ['in_progress', 'completed'] as const) {
      intend(onboard, to, now);
      if (to === 'completed') say(told);
      applyOutcome(onboard, { kind: 'done', adopted: false, seen: seen(OURS, to) }, now);
    }
    expect(onboard.check).toMatchObject({ why: 'asked', listed: [OURS, THEIRS], next: { why: 'confirm' } });
    look({ kind: 'seen', onboards: [seen(OURS, 'completed'), seen(THEIRS)], proves_absence: true });
    expect(onboard.attention?.code).toBe('duplicate');
  });

  test('is looked for again when somebody answers with retry, also while it is held', () => {
    create();
    say({ name: 'advance', to: 'in_progress' });
    intend(onboard, 'in_progress', now);
    applyOutcome(onboard, { kind: 'duplicate', onboard_ids: [OURS, THEIRS] }, now);
    say({ name: 'hold' });
    say({ name: 'resolve', action: 'retry' });
    look(listing(OURS, THEIRS));
    expect(onboard.attention?.code).toBe('duplicate');
  });

  test('is told to its run in one order, so that the same key says the same', () => {
    const sent: string[] = [];
    const list = (...ids: string[]) =>
      readLook(
        ids.map((id) => ({ id, invitation_id: INVITATION })),
        {},
        now,
        now,
      ) as Look;
    // Two workers, as after a restart.
    for (const ids of [
      [OURS, THEIRS],
      [THEIRS, OURS],
    ])
      new Doubles((invitation, listed, key) => {
        sent.push([invitation, ...listed, key].join(' '));
        return Promise.resolve();
      }).seen(list(...ids));
    expect(sent[1]).toBe(sent[0]);
    expect(sent).toHaveLength(2);
  });
});
