/** The request was sent: whatever comes back, it is told what is known of its effect, and nothing is sent again. */
import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import { lookResultOf, outcomeOf } from '../../src/activities/outcome-of-error';
import { startEmulator, type Emulator } from '../../src/emulator/serve';
import type { WireEvent } from '../../src/leadconduit/client';
import type { LeadConduitError } from '../../src/leadconduit/leadconduit-error';
import { EFFECT_NAMES } from '../../src/onboard/lifecycle';
import {
  client,
  closers,
  failure,
  INVITATION,
  json,
  listen,
  OPERATIONS,
  OTHER,
  rawServer,
  RECORD,
  right,
  run,
  soon,
  type Protocol,
} from '../support/wire';
import { AFTER_SENDING, type Behaviour, type Expected } from '../support/wire-faults';

/** Carries a request out that the raw server has read, as LeadConduit does before the way back fails. */
async function carryOut(upstream: Emulator, request: string): Promise<string> {
  const [head = '', body = ''] = request.split('\r\n\r\n');
  const [method = '', path = ''] = head.split(' ');
  const headers = { authorization: `Basic ${btoa('API:any')}`, 'content-type': 'application/json' };
  const answer = await fetch(upstream.url + path, { method, headers, ...(body && { body }) });
  expect(answer.ok).toBe(true);
  return answer.text();
}

describe.each<Protocol>(['http', 'https'])('over %s', (protocol) => {
  async function tryEach(behave: Behaviour, expected: Expected, hasEffect: boolean): Promise<void> {
    const begun = Date.now();
    const unwritten = { account_id: null, connection_id: null, created_at: null, updated_at: null };
    const upstream = await startEmulator({ port: 0, records: [{ ...RECORD, ...unwritten }] });
    closers.push(() => upstream.close());
    const operationOf = (request: string) => OPERATIONS[['GET', 'POST', 'PUT'].indexOf(request.split(' ')[0]!)]!;
    const misbehave = async (socket: Socket, request: string) => {
      if (hasEffect) await carryOut(upstream, request);
      behave(socket, operationOf(request));
    };
    const answer = async (socket: Socket, request: string) =>
      socket.end(json('200 OK', JSON.parse(await carryOut(upstream, request))));
    const server = await rawServer((socket, request) => {
      const isWell = server.seen.requests.length > OPERATIONS.length;
      (isWell ? answer : misbehave)(socket, request).catch(() => socket.destroy());
    }, protocol);
    const it = client({ baseUrl: server.baseUrl, timeoutMs: expected.timeoutMs ?? 5_000 });
    const errors = await Promise.all(OPERATIONS.map((operation) => failure(run(it, operation))));
    for (const error of errors) {
      const { operation, sent, words } = error;
      const status = expected.status === 'ok' ? (operation === 'create' ? 201 : 200) : expected.status;
      expect({ operation, sent, status: error.status, words }).toEqual({
        operation,
        sent: true,
        status,
        words: expected.words,
      });
      expect(error.reason).toMatch(expected.reason);
      expect(error.message).toBe(`${operation}: ${error.reason}`);
      expect(error.noSlot).toBe(false);
      expect(error.endedAt).toBeGreaterThanOrEqual(begun);
      if (expected.retryAfterMs === undefined) expect(error.retryAfterMs).toBeUndefined();
      else expect(Math.abs(error.retryAfterMs! - expected.retryAfterMs)).toBeLessThan(3_000);
    }
    const [look, create, put] = errors as [LeadConduitError, LeadConduitError, LeadConduitError];
    const writes = EFFECT_NAMES.map((effect) => outcomeOf(effect === 'create' ? create : put, effect));
    const { becomes, looksFirst = false } = expected;
    expect(writes.map(({ kind }) => kind)).toEqual(typeof becomes === 'string' ? [becomes, becomes, becomes] : becomes);
    const isLookedFor = writes.map((write) => write.kind === 'refused' && write.look_first);
    expect(isLookedFor).toEqual([looksFirst, looksFirst, looksFirst]);
    expect(lookResultOf(look).kind).toBe(expected.looks ?? 'unusable');
    expect(server.seen.requests).toHaveLength(3);
    // What the answer did not tell, the next look does.
    const shown = (await it.look(soon())).of(INVITATION);
    expect(shown.map(({ status }) => status)).toEqual(hasEffect ? ['in_progress', 'created'] : ['created']);
  }

  // What comes back is the same whether the call took effect or not.
  test.each(AFTER_SENDING)('sent, and tried once: %s', async (_, behave, expected) => {
    // Both to their end, also where one fails.
    const tries = await Promise.allSettled([tryEach(behave, expected, false), tryEach(behave, expected, true)]);
    for (const tried of tries) if (tried.status === 'rejected') throw tried.reason;
  });

  // From its being open the connection is http's: whether bytes left before the reset is not known, so they count as sent.
  test.each(OPERATIONS)('reset as soon as both ends are open, and nothing read: %s', async (operation) => {
    const server = protocol === 'https' ? tls.createServer(right) : net.createServer();
    const bare = once(server, 'connection') as Promise<[Socket]>;
    const open = once(server, protocol === 'https' ? 'secureConnection' : 'connection') as Promise<[Socket]>;
    const reset = async () => {
      (await open)[0].on('error', () => undefined);
      (await bare)[0].resetAndDestroy();
    };
    const onStage = ({ stage }: WireEvent) => void (stage === 'open' && reset());
    const baseUrl = `${protocol}://127.0.0.1:${await listen(server)}`;
    const error = await failure(run(client({ baseUrl, onStage }), operation));
    expect(error).toMatchObject({ sent: true, status: undefined });
    expect(error.reason).toMatch(/(ECONNRESET|EPIPE)\), after the request was sent$/);
    for (const effect of EFFECT_NAMES) expect(outcomeOf(error, effect).kind).toBe('unknown');
  });
});

describe.each<Protocol>(['http', 'https'])('over %s, the answer is about what was asked for', (protocol) => {
  const answering = async (record: object) => {
    const server = await rawServer((socket) => void socket.end(json('200 OK', record)), protocol);
    return client({ baseUrl: server.baseUrl });
  };

  test.each([
    ['create', { ...RECORD, invitation_id: OTHER }, 'answered about another invitation'],
    ['put', { ...RECORD, invitation_id: OTHER }, 'answered about another invitation'],
    ['put', { ...RECORD, id: OTHER }, 'answered about another onboard'],
    ['create', { ...RECORD, id: '' }, 'an answer that cannot be read'],
    ['put', { invitation_id: INVITATION }, 'an answer that cannot be read'],
  ] as const)('%s of %j', async (operation, record, reason) => {
    const error = await failure(run(await answering(record), operation));
    expect(error).toMatchObject({ sent: true, status: 200, reason });
    for (const effect of EFFECT_NAMES) expect(outcomeOf(error, effect).kind).toBe('unknown');
  });

  test.each(OPERATIONS.slice(1))('%s: in any case, with nulls and unknown fields', async (operation) => {
    await expect(run(await answering(RECORD), operation)).resolves.toEqual(RECORD);
  });
});
