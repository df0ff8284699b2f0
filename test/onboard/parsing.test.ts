/** What comes from outside: the workflow's argument, messages, results of activities, texts and ids. */
import { isHex24, invitationIdOf, sameId, workflowIdOf } from '../../src/onboard/ids';
import { inputProblem } from '../../src/onboard/input';
import { hasReached, isEffect, isNewer, isStatus, nextMove } from '../../src/onboard/lifecycle';
import { parseMessage } from '../../src/onboard/parse-message';
import { parseLookResult, parseOutcome } from '../../src/onboard/parse-outcome';
import { cleanLine, cleanText, isClean, LINE_LENGTH, TEXT_LENGTH } from '../../src/onboard/text';
import { undecodable } from '../../src/onboard/undecodable';
import { INVITATION, OURS, RUN, seen } from '../support/given';

test('ids are 24 hexadecimal digits in either case, and one workflow id is for one invitation', () => {
  const id = '64b8f0f5e4b0c3a1d5e6f7a8';
  expect([id, id.toUpperCase()].map(isHex24)).toEqual([true, true]);
  expect(['', id.slice(1), `${id}0`, `g${id.slice(1)}`, ` ${id}`, 5, null].map(isHex24)).toEqual(Array(7).fill(false));
  expect([sameId(id, id.toUpperCase()), sameId(id, undefined), sameId(undefined, undefined), sameId(null, id)]).toEqual(
    [...[true, false, false, false]],
  );
  expect(workflowIdOf(id.toUpperCase())).toBe(`onboard-${id}`);
  expect(invitationIdOf(`onboard-${id}`)).toBe(id);
});

test('a lifecycle goes forward, one call after the other, and never from where nobody knows', () => {
  expect(nextMove('created', 'created')).toBeUndefined();
  expect(nextMove('created', 'completed')).toBe('in_progress');
  expect(nextMove('in_progress', 'completed')).toBe('completed');
  expect(nextMove('completed', 'created')).toBeUndefined();
  expect([
    hasReached('created', 'created'),
    hasReached('created', 'in_progress'),
    hasReached('failed', 'created'),
  ]).toEqual([...[true, false, false]]);
  expect(hasReached(null, 'created')).toBe(false);
  expect([isStatus('completed'), isStatus('failed'), isEffect('create'), isEffect('created')]).toEqual([
    true,
    false,
    true,
    false,
  ]);
  const at = (updated_at?: string) => ({ updated_at });
  expect(isNewer(at('2026-01-02T00:00:00Z'), at('2026-01-01T00:00:00Z'))).toBe(true);
  expect([
    isNewer(at('2026-01-01T00:00:00Z'), at('2026-01-01T00:00:00Z')),
    isNewer(at(), at('2026-01-01T00:00:00Z')),
  ]).toEqual([...[false, false]]);
  expect(isNewer(at('2026-01-01T00:00:00Z'), undefined)).toBe(false);
});

describe('texts', () => {
  test('are cut, made whole, and steer nothing', () => {
    expect(cleanText('a\r\nb\tc')).toBe('a\nb\tc');
    expect(cleanLine('a\nb\tc')).toBe('a b c');
    expect(cleanText('a\u0007b\u009bc\u202ed\ud800')).toBe('a\ufffdb\ufffdc\ufffdd\ufffd');
    expect(cleanText('x'.repeat(TEXT_LENGTH))).toHaveLength(TEXT_LENGTH);
    expect(cleanText('x'.repeat(TEXT_LENGTH + 1))).toBe(`${'x'.repeat(TEXT_LENGTH - 1)}…`);
    expect(cleanLine('x'.repeat(LINE_LENGTH + 1))).toHaveLength(LINE_LENGTH);
    expect(['a b', 'a\nb', 'a\u0007', 'x'.repeat(3_000)].map(isClean)).toEqual([true, false, false, true]);
  });
});

describe('the argument of the workflow', () => {
  const good = { invitation_id: INVITATION };
  test.each([
    [
      {
        ...good,
        flow_id: null,
        label: null,
        by: null,
        reason: null,
        not_before: null,
        policy: null,
        maybe_sent_before: null,
      },
    ],
    [{ ...good, flow_id: OURS, label: 'Acme', by: 'ann', reason: 'x', request_id: 'r' }],
    [{ ...good, not_before: '2026-01-01T00:00:00Z', maybe_sent_before: ['create', 'completed'] }],
    [{ ...good, not_before: '2026-01-01T00:00:00+01:00', policy: { settle_ms: 1, confirm_ms: 0 } }],
  ])('may be %j', (input) => expect(inputProblem(input)).toBeUndefined());

  test.each([
    [null, /cannot be read/],
    ['text', /cannot be read/],
    [undecodable('encrypted'), /cannot be read/],
    [{}, /^invitation_id must be 24/],
    [{ ...good, flow_id: 'x' }, /^flow_id must be 24/],
    [{ ...good, label: 5 }, /must be texts/],
    [{ ...good, by: {} }, /must be texts/],
    [{ ...good, reason: [] }, /must be texts/],
    [{ ...good, request_id: 1 }, /must be texts/],
    [{ ...good, not_before: '2026-01-01T00:00:00' }, /^not_before must be a time with its offset/],
    [{ ...good, not_before: 'soonZ' }, /^not_before/],
    [{ ...good, not_before: 5 }, /^not_before/],
    [{ ...good, maybe_sent_before: 'create' }, /^maybe_sent_before must be a list of calls/],
    [{ ...good, maybe_sent_before: ['created'] }, /^maybe_sent_before must be a list of calls/],
    [{ ...good, policy: 5 }, /^policy must be an object/],
    [{ ...good, policy: { settle_ms: 0 } }, /^policy must hold milliseconds/],
    [{ ...good, policy: { settle_ms: '5' } }, /^policy must hold milliseconds/],
    [{ ...good, policy: { settle_ms: 31 * 86_400_000 } }, /^policy must hold milliseconds/],
  ])('may not be %j', (input, words) => expect(inputProblem(input)).toMatch(words));
});

describe('a message', () => {
  const wrong = (name: string, ...args: unknown[]) => {
    const message = parseMessage(name, args);
    return 'unreadable' in message ? message.unreadable : message;
  };

  test('of ours is read, its texts cleaned and its ids in lower case', () => {
    expect(
      parseMessage('advance', [
        { to: 'completed', flow_id: OURS.replaceAll('1', 'A'), by: 'a\nb', reason: 'x\ny', key: 'k' },
      ]),
    ).toEqual({
      ...{ name: 'advance', to: 'completed', flow_id: 'a'.repeat(24), by: 'a b', reason: 'x\ny', key: 'k' },
    });
    expect(parseMessage('resolve', [{ action: 'adopt', attention: 'a1', onboard_id: 'ABC' }])).toMatchObject({
      ...{ name: 'resolve', action: 'adopt', attention: 'a1', onboard_id: 'abc' },
    });
    expect(parseMessage('look', [{ onboard_ids: ['AB', 'c'] }])).toMatchObject({
      name: 'look',
      onboard_ids: ['ab', 'c'],
    });
    expect(parseMessage('note', [{ text: 'called\nthem', by: null }])).toMatchObject({
      name: 'note',
      text: 'called\nthem',
    });
    for (const name of ['hold', 'release', 'cancel']) expect(parseMessage(name, [])).toMatchObject({ name });
  });

  test('of another name or shape is said to be wrong, field by field', () => {
    expect(wrong('dance')).toMatch(/^there is no message of this name; there are advance, resolve, hold/);
    expect(wrong('hold', undecodable('no codec'))).toBe('its payload cannot be decoded: no codec');
    expect(wrong('hold', { __undecodable__: 5 })).toBe('its payload cannot be decoded: it is marked as unreadable');
    expect([wrong('hold', 'x'), wrong('hold', [])]).toEqual(Array(2).fill('its payload must be one object'));
    expect(wrong('advance', { to: 'created', flow_id: 'x', by: '' })).toBe(
      'to must be in_progress or completed; flow_id must be 24 hexadecimal digits; by must be a text',
    );
    expect(wrong('resolve', { action: 'wait', attention: 5 })).toBe(
      'action must be retry or adopt; attention must be a text',
    );
    expect([wrong('note', {}), wrong('note', { text: '' }), wrong('note', { text: 5 })]).toEqual(
      Array(3).fill('text must be a text'),
    );
    expect(wrong('look', { onboard_ids: 'x' })).toBe('onboard_ids must be a list of at most 50 texts');
    expect(wrong('look', { onboard_ids: [5] })).toBe('onboard_ids must be a list of at most 50 texts');
    expect(wrong('look', { onboard_ids: Array(51).fill('x') })).toBe('onboard_ids must be a list of at most 50 texts');
    expect(wrong('look', { onboard_ids: Array(50).fill('x') })).toMatchObject({ name: 'look' });
    for (const key of ['x'.repeat(LINE_LENGTH + 1), 'a\nb'])
      expect(wrong('hold', { key })).toBe(
        'key must be one line of at most 200 characters, none of which steers a terminal',
      );
    expect(wrong('hold', { key: 'x'.repeat(LINE_LENGTH) })).toMatchObject({ name: 'hold' });
    expect(parseMessage('a\nb', [])).toMatchObject({ name: 'a b' });
  });
});

describe('what an activity gives back', () => {
  test.each([
    [{ kind: 'done', seen: seen(), adopted: false, evidence: RUN, slow_look_ms: 3, needs_ms: 4 }],
    [
      {
        kind: 'not_sent',
        words: 'x',
        retry_after_ms: 1,
        http_status: 429,
        unusable_look: true,
        lacks: ['a'],
        no_time: true,
        called_back: true,
      },
    ],
    [{ kind: 'not_listed', words: 'x' }],
    [{ kind: 'refused', words: 'x', http_status: 422, look_first: false }],
    [{ kind: 'credentials', words: 'x', http_status: 401, at_look: true }],
    [{ kind: 'unknown', words: 'x', http_status: 502, may_send_for_ms: 0 }],
    [{ kind: 'duplicate', onboard_ids: ['a', 'b'] }],
    [{ kind: 'unexpected', seen: seen('failed'), may_be_old: true }],
    [{ kind: 'flow_changed', seen: seen() }],
  ])('is an outcome: %j', (outcome) => {
    expect(parseOutcome({ ...outcome, more: 'is left out' })).toEqual(outcome);
  });

  test.each([
    [undefined],
    ['done'],
    [{}],
    [{ kind: 'toString' }],
    [{ kind: 'done', seen: seen() }],
    [{ kind: 'done', adopted: 'yes', seen: seen() }],
    [{ kind: 'done', adopted: true, seen: { record: { id: OURS }, status: 'created' } }],
    [{ kind: 'done', adopted: true, seen: { record: { id: 'a b', invitation_id: INVITATION }, status: 'created' } }],
    [{ kind: 'done', adopted: true, seen: { record: seen().record } }],
    [{ kind: 'done', adopted: true, seen: seen(), evidence: { run_id: 'x' } }],
    [{ kind: 'refused', words: 'x', http_status: 99, look_first: true }],
    [{ kind: 'refused', words: 'x', http_status: 600, look_first: true }],
    [{ kind: 'refused', words: 5, http_status: 400, look_first: true }],
    [{ kind: 'unknown', words: 'x', may_send_for_ms: -1 }],
    [{ kind: 'unknown', words: 'x', may_send_for_ms: 31 * 86_400_000 }],
    [{ kind: 'duplicate', onboard_ids: ['a', 5] }],
    [{ kind: 'duplicate', onboard_ids: 'ab' }],
    [{ kind: 'done', adopted: true, seen: { ...seen(), record: { ...seen().record, x: 'y'.repeat(70_001) } } }],
  ])('is no outcome: %j', (result) => expect(parseOutcome(result)).toBeUndefined());

  test('is a look, or none', () => {
    const look = { kind: 'seen', onboards: [seen()], proves_absence: true, lacks: ['a'], evidence: RUN };
    expect(parseLookResult(look)).toEqual(look);
    expect(
      parseLookResult({ kind: 'unusable', words: 'x', retry_after_ms: 5, no_time: true, needs_ms: 6 }),
    ).toMatchObject({ needs_ms: 6 });
    expect(parseLookResult({ kind: 'credentials', words: 'x', http_status: 403 })).toMatchObject({ http_status: 403 });
    for (const bad of [
      { ...look, onboards: 'x' },
      { ...look, onboards: [seen(), {}] },
      { kind: 'done' },
      { ...look, proves_absence: 1 },
    ])
      expect(parseLookResult(bad)).toBeUndefined();
  });

  test('is not read where it is deeper than could be written', () => {
    const deep = (depth: number): unknown => (depth === 0 ? 1 : [deep(depth - 1)]);
    const withDepth = (depth: number) => ({ ...seen(), record: { ...seen().record, x: deep(depth) } });
    expect(parseOutcome({ kind: 'done', adopted: true, seen: withDepth(100) })).toBeDefined();
    expect(parseOutcome({ kind: 'done', adopted: true, seen: withDepth(200) })).toBeUndefined();
  });
});
