/**
 * Text from outside, of whatever kind and through whatever field: nothing ever fails a workflow task or stops a worker,
 * and nothing that steers a terminal, turns text round or becomes a link comes out again.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { readLook } from '../../src/leadconduit/shared-looks';
import { readRecord } from '../../src/leadconduit/schema';
import { applyOutcome } from '../../src/onboard/apply-outcome';
import { validate, applyMessage } from '../../src/onboard/apply-message';
import { begin, intend } from '../../src/onboard/state';
import { parseMessage } from '../../src/onboard/parse-message';
import { parseLookResult, parseOutcome } from '../../src/onboard/parse-outcome';
import { asMarkdown } from '../../src/onboard/text';
import { view } from '../../src/onboard/view';
import { newId, World } from '../support/world';
import { workflowIdOf } from '../../src/onboard/ids';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const INVITATION = 'a'.repeat(24);
const STEERS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/; // eslint-disable-line no-control-regex -- it is about them
const RUNS = Number(process.env.HOSTILE_CASES ?? 1_000);

const deep = () => ({ id: 'b', invitation_id: INVITATION, more: nested(20_000) });
const nested = (depth: number) => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown;
/** What people and programs send who do not mean it, and who do. */
const hostile = fc.oneof(
  fc.constantFrom<unknown>(
    '\ud800',
    'x\udfff',
    '\u0000',
    '\u001b[2J',
    '\u009b31m',
    'via \u202eyek',
    '\u2066x',
    '\r\nlevel=error',
    'x'.repeat(1_000_000),
    '😀'.repeat(3_000),
    '[a](https://evil.example)',
    '',
    ' ',
    0,
    -1,
    Infinity,
    null,
    true,
    [],
    {},
    { toString: 0 },
    { __undecodable__: '\ud800' },
    { __undecodable__: { toString: 0 } },
    nested(20_000),
  ),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.integer({ min: 0xd800, max: 0xdfff }).map((code) => String.fromCharCode(code)) }),
  fc.anything(),
);
const FIELDS = ['to', 'action', 'flow_id', 'attention', 'onboard_id', 'onboard_ids', 'text', 'by', 'reason', 'key'];
const NAMES = ['advance', 'resolve', 'hold', 'release', 'cancel', 'look', 'note'] as const;
const payload = fc.oneof(
  hostile,
  fc.dictionary(fc.constantFrom(...FIELDS, '__undecodable__', '__proto__'), hostile),
  fc.record({
    to: fc.constant('completed'),
    action: fc.constant('retry'),
    onboard_ids: fc.array(hostile),
    text: hostile,
    by: hostile,
    reason: hostile,
    key: hostile,
  }),
);

/** Everything in a state but the record, which is LeadConduit's and goes back to it as it came. */
function expectClean(state: object): void {
  const texts: string[] = [];
  JSON.stringify(state, (key, value: unknown) => {
    if (typeof value === 'string') texts.push(value);
    return key === 'record' ? undefined : value;
  });
  for (const text of texts) {
    expect(text.isWellFormed()).toBe(true);
    expect(text).not.toMatch(STEERS);
    expect(text.length).toBeLessThanOrEqual(2_500);
  }
}

test('messages: none is fatal, and what is kept or answered is clean', () => {
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom(...NAMES), fc.string({ unit: 'binary' })), fc.array(payload), (name, args) => {
      const onboard = begin({ invitation_id: INVITATION }, NOW);
      const message = parseMessage(name, args);
      const verdict = validate(onboard, message);
      if (verdict.kind === 'refuse') expectClean({ why: verdict.why });
      applyMessage(onboard, message, NOW);
      expectClean(view(onboard, NOW));
    }),
    { numRuns: RUNS },
  );
});

const KINDS = ['done', 'not_sent', 'not_listed', 'refused', 'credentials', 'unknown', 'duplicate', 'unexpected'];
const result = fc.record(
  {
    kind: fc.oneof(fc.constantFrom(...KINDS, 'flow_changed', 'seen', 'unusable'), hostile),
    words: hostile,
    http_status: fc.oneof(fc.constantFrom(200, 401, 422), hostile),
    look_first: fc.oneof(fc.boolean(), hostile),
    adopted: fc.oneof(fc.boolean(), hostile),
    onboard_ids: fc.oneof(fc.array(fc.oneof(fc.constant('b'), hostile)), hostile),
    onboards: fc.oneof(fc.array(hostile), hostile),
    proves_absence: fc.oneof(fc.boolean(), hostile),
    retry_after_ms: hostile,
    seen: fc.oneof(
      hostile,
      fc.record({
        status: fc.oneof(fc.constant('created'), hostile),
        record: fc.record({
          id: fc.oneof(fc.constant('b'), hostile),
          invitation_id: fc.constant(INVITATION),
          status: hostile,
        }),
      }),
    ),
  },
  { requiredKeys: ['kind'] },
);

test('results of activities: what is not whole cannot be read, and what is kept of the rest is clean', () => {
  fc.assert(
    fc.property(fc.oneof(result, hostile), (raw) => {
      const outcome = parseOutcome(raw);
      parseLookResult(raw);
      if (!outcome) return;
      const onboard = begin({ invitation_id: INVITATION }, NOW);
      intend(onboard, 'create', NOW);
      applyOutcome(onboard, outcome, NOW);
      expectClean(view(onboard, NOW));
    }),
    { numRuns: RUNS },
  );
});

test.each<[string, unknown]>([
  ['a record', { kind: 'done' }],
  ['an invitation', { kind: 'done', seen: { record: { id: 'b' }, status: 'created' }, adopted: false }],
  ['an end of its nesting', { kind: 'done', seen: { record: deep(), status: 'created' }, adopted: true }],
  ['a time', { kind: 'unknown', words: 'x', may_send_for_ms: Infinity }],
  ['a list', { kind: 'duplicate', onboard_ids: 'ab' }],
  ['a kind', { kind: 'toString' }],
])('a result without %s is none', (_, raw) => {
  expect(parseOutcome(raw)).toBeUndefined();
});

test('answers of LeadConduit: never an exception', () => {
  fc.assert(
    fc.property(
      fc.oneof(hostile, fc.array(fc.oneof(hostile, fc.record({ id: hostile, invitation_id: hostile })))),
      (body) => {
        readLook(body, {}, 1, 2);
        readRecord(body);
      },
    ),
    { numRuns: RUNS },
  );
});

test('what is shown on Temporal’s web page is shown to the letter: no link, no image, no emphasis, no HTML', () => {
  expect(asMarkdown('[a](https://evil.example) <b> *x* _y_ `z` www.evil.example in_progress')).toBe(
    '\\[a\\]\\(https\\:\\//evil.example\\) \\<b\\> \\*x\\* \\_y\\_ \\`z\\` www\\.evil.example in_progress'.replace(
      '\\:\\//',
      '\\://',
    ),
  );
});

describe('on a real server', () => {
  let world: World;
  afterEach(() => world.close());
  const run = () => world.run;

  test('one refused update with a lone surrogate stops no worker', async () => {
    world = await World.start();
    await world.create();
    const hold = run().executeUpdate('hold', { args: [{ __undecodable__: '\ud800' }] });
    await expect(hold).rejects.toMatchObject({ cause: { type: 'OnboardRefused' } });
    expect(world.worker?.getState()).toBe('RUNNING');
    expect((await world.state()).stale).toBe(false);
  });

  test('signals, updates and inputs of every kind: each is answered or refused, and its run goes on', async () => {
    world = await World.start();
    await world.create();
    const cases = fc.sample(payload, { numRuns: 60, seed: 11 });
    await Promise.all(
      cases.map(async (sent, n) => {
        const name = NAMES[n % NAMES.length]!;
        const args = [name === 'cancel' ? { ...(sent as object), key: 5 } : sent];
        await run()
          .signal(name, ...args)
          .catch(notSendable);
        await run()
          .executeUpdate(name, { args: args as [unknown] })
          .catch(notSendable);
      }),
    );
    const started = await Promise.all(
      cases.slice(0, 20).map(async (label) => {
        const invitation_id = newId();
        const workflowId = workflowIdOf(invitation_id);
        const args = [{ invitation_id, label, by: label, reason: label, request_id: label }];
        const options = { workflowId, taskQueue: world.config.taskQueue, args };
        return world.temporal.workflow.start('onboardBuyer', options).catch(notSendable);
      }),
    );
    for (const handle of started)
      if (handle) await handle.executeUpdate('whenCreated', { updateId: 'when-created' }).catch(notSendable);
    const state = await world.until('still answering', () => true);
    expectClean(state);
    const { events } = await run().fetchHistory();
    // The server starts a task anew by itself when too many messages wait for it, as on a busy machine.
    const failed = events?.flatMap(({ workflowTaskFailedEventAttributes: one }) => one ?? []);
    expect(failed?.filter(({ identity }) => identity !== 'history-service')).toEqual([]);
  }, 90_000);

  /** What the SDK or the server refuses itself never reaches the run. */
  const notSendable = (error: unknown): undefined => {
    expect((error as Error).message).not.toMatch(/deadline|unavailable/i);
  };

  test.each<[string, string]>([
    ['nested 20,000 deep', `"more": ${'['.repeat(20_000)}${']'.repeat(20_000)}`],
    ['of 1 MB', `"more": "${'x'.repeat(1_000_000)}"`],
  ])('a record %s makes its own onboard ask for a person, and no other', async (_, more) => {
    const server = createServer((req, res) => {
      const record = `{"id": "${'b'.repeat(24)}", "invitation_id": "${world.invitation}", "status": "created", ${more}}`;
      res.writeHead(req.method === 'POST' ? 201 : 200, { 'content-type': 'application/json' });
      if (req.method === 'GET') return res.end(`[${record}]`);
      let body = '';
      req.on('data', (chunk: Buffer) => (body += chunk.toString()));
      req.on('end', () => res.end(JSON.stringify({ ...(JSON.parse(body) as object), id: newId(), status: 'created' })));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const port = portOf(server);
    world = await World.start({ presence: false, settings: { LEADCONDUIT_BASE_URL: `http://127.0.0.1:${port}` } });
    await world.start();
    const asked = await world.until('asked', (state) => state.attention?.code === 'list_unreadable');
    expect(asked.attention?.message).toContain(`the record of onboard ${'b'.repeat(24)} cannot be read`);
    const other = newId();
    await world.start({ invitation_id: other });
    expect((await world.onboards.whenCreated({ invitation_id: other }, 20_000)).status).toBe('created');
    server.closeAllConnections();
    server.close();
  });

  test('an upstream that speaks in controls is quoted without them', async () => {
    const status = 'x\ud800\u202e\u0007[b](https://evil.example)';
    world = await World.start();
    const invitation_id = world.invitation;
    const seeded = { id: newId(), invitation_id, status } as never;
    await world.close();
    world = await World.start({ records: [seeded] });
    await world.start({ invitation_id });
    const state = await world.onboards.whenCreated({ invitation_id }, 20_000);
    expect(state.attention?.code).toBe('unexpected_status');
    expectClean(state);
  });
});

const portOf = (server: Server) => (server.address() as AddressInfo).port;
