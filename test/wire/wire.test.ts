import { execFileSync } from 'node:child_process';
import dns from 'node:dns';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import tls, { TLSSocket } from 'node:tls';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { lookResultOf, outcomeOf } from '../../src/activities/outcomes';
import type { Outcome } from '../../src/onboard/outcome';
import { startEmulator, type Emulator } from '../../src/emulator/serve';
import {
  LeadConduitClient,
  type LeadConduitOptions,
  type WireEvent,
  type SendPermit,
} from '../../src/leadconduit/client';
import { LeadConduitError, type Operation } from '../../src/leadconduit/leadconduit-error';
import { EFFECT_NAMES } from '../../src/onboard/lifecycle';

const KEY = 'MARKED/key+with%signs=&more?';
const INVITATION = '64b8f0f5e4b0c3a1d5e6f7a8';
const OTHER = '64b8f0f5e4b0c3a1d5e6f7ff';
const ONBOARD = '5fd4371e940df5a34a3888b2';
const RECORD = {
  id: ONBOARD,
  invitation_id: INVITATION.toUpperCase(),
  flow_id: null,
  status: 'created',
  new_field: [1],
};

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function listen(server: net.Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const folder = mkdtempSync(join(tmpdir(), 'wire-'));
afterAll(() => rmSync(folder, { recursive: true }));

function certificate(name: string, subject: string) {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  const made = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${name}`;
  execFileSync('openssl', [...made.split(' '), '-addext', `subjectAltName=${subject}`, '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  });
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}
const right = certificate('right', 'IP:127.0.0.1');
const elsewhere = certificate('elsewhere', 'DNS:elsewhere.example');

type Protocol = 'http' | 'https';

/** The server's end of a connection over TLS; it is reset where the bare connection is. */
function secured(bare: Socket): Socket {
  const socket = new TLSSocket(bare, { isServer: true, ...right });
  socket.on('error', () => undefined);
  return Object.assign(socket, { resetAndDestroy: () => bare.resetAndDestroy() });
}

/** A server of bare TCP, or of TLS, that counts what reaches it, and hands over each whole request that it has read. */
async function rawServer(
  onRequest: (socket: Socket, request: string) => void = () => undefined,
  protocol: Protocol = 'http',
) {
  const seen = { connections: 0, bytes: 0, requests: [] as string[] };
  const server = net.createServer((bare) => {
    const socket = protocol === 'https' ? secured(bare) : bare;
    seen.connections += 1;
    let text = '';
    socket.on('data', (chunk) => {
      seen.bytes += chunk.length;
      text += chunk.toString();
      const [head, body] = text.split('\r\n\r\n');
      if (body === undefined || body.length < Number(/content-length: (\d+)/i.exec(head!)?.[1] ?? 0)) return;
      seen.requests.push(text);
      const request = text;
      text = '';
      onRequest(socket, request);
    });
  });
  const port = await listen(server);
  return { seen, server, port, baseUrl: `${protocol}://127.0.0.1:${port}` };
}

function client(options: Partial<LeadConduitOptions> & { baseUrl: string }): LeadConduitClient {
  const made = new LeadConduitClient({
    apiKey: KEY,
    timeoutMs: 5_000,
    maxConcurrency: 3,
    maxListBytes: 10_000,
    ca: right.cert,
    ...options,
  });
  closers.push(() => made.close());
  return made;
}

const soon = () => Date.now() + 10_000;
const permit = (gate: SendPermit['gate'] = () => undefined): SendPermit => ({ slotUntil: soon(), gate });
const run = (it: LeadConduitClient, operation: Operation, gate?: SendPermit['gate']): Promise<unknown> => {
  switch (operation) {
    case 'look':
      return it.look(soon());
    case 'create':
      return it.createOnboard({ invitation_id: INVITATION }, permit(gate));
    case 'put':
      return it.putOnboard(ONBOARD.toUpperCase(), { ...RECORD, status: 'in_progress' }, permit(gate));
  }
};

/** The error of a call that must fail, after making sure that no form of the key is in it. */
async function failure(call: Promise<unknown>): Promise<LeadConduitError> {
  const error: unknown = await call.then(
    () => 'no error: the call succeeded',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LeadConduitError);
  const shown = inspect(error, { depth: 10, showHidden: true });
  for (const secret of ['MARKED', Buffer.from(KEY).toString('base64'), Buffer.from(`API:${KEY}`).toString('base64')])
    expect(shown).not.toContain(secret.replace(/=+$/, ''));
  expect(shown).not.toMatch(/AxiosError|authorization/i);
  return error as LeadConduitError;
}

const reply = (status: string, body: string, headers = '') =>
  `HTTP/1.1 ${status}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n${headers}\r\n${body}`;
const json = (status: string, body: unknown, headers = '') =>
  reply(status, JSON.stringify(body), `content-type: application/json\r\n${headers}`);
const OPERATIONS: Operation[] = ['look', 'create', 'put'];

const ok = (operation: Operation) => (operation === 'create' ? '201 Created' : '200 OK');
const okBody = (operation: Operation) => JSON.stringify(operation === 'look' ? [RECORD] : RECORD);
/** Of a call that comes to no end; long enough for what is to come before, on a slow machine too. */
const SHORT_MS = 2_000;
const trickle = (socket: Socket, start: string) => {
  socket.write(start);
  const timer = setInterval(() => socket.write('x'), 20);
  socket.on('close', () => clearInterval(timer));
};
const inThirtySeconds = () => new Date(Date.now() + 30_000).toUTCString();

interface Expected {
  /** 'ok' is 201 for a create, 200 otherwise. */
  status: number | 'ok' | undefined;
  reason: RegExp;
  words?: string;
  retryAfterMs?: number;
  timeoutMs?: number;
  /** What it means for a write; where it is not the same for each, for a create, `in_progress` and `completed`. */
  becomes: Outcome['kind'] | readonly Outcome['kind'][];
  /** Refused, but it may mean that what was asked for is there already. */
  looksFirst?: true;
  /** To a look; `unusable` where nothing is said. */
  looks?: 'credentials';
}
/** A gateway may have said it, after the call went through: of a completing call nobody can be sure. */
const TOO_MANY = ['not_sent', 'not_sent', 'unknown'] as const;
type Behaviour = (socket: Socket, operation: Operation) => void;
const says =
  (bytes: string): Behaviour =>
  (socket) =>
    void socket.end(bytes);
const sayOk =
  (body: string): Behaviour =>
  (socket, operation) =>
    void socket.end(reply(ok(operation), body));

/** What LeadConduit, or something in between, does with a request that it has read. All of it was sent; none is repeated. */
const AFTER_SENDING: [string, Behaviour, Expected][] = [
  [
    'reset',
    (socket) => void socket.resetAndDestroy(),
    { becomes: 'unknown', status: undefined, reason: /broken off.*ECONNRESET.*after/ },
  ],
  [
    'end without an answer',
    (socket) => void socket.end(),
    { becomes: 'unknown', status: undefined, reason: /ECONNRESET/ },
  ],
  [
    'no answer',
    () => undefined,
    { becomes: 'unknown', status: undefined, reason: /^no answer within 2 s$/, timeoutMs: SHORT_MS },
  ],
  [
    'slow headers',
    (s) => trickle(s, 'HTTP/1.1 200 OK\r\nx: '),
    { becomes: 'unknown', status: undefined, reason: /no answer/, timeoutMs: SHORT_MS },
  ],
  [
    'slow body',
    (socket, operation) => trickle(socket, `HTTP/1.1 ${ok(operation)}\r\ncontent-length: 9999\r\n\r\n[`),
    { becomes: 'unknown', status: 'ok', reason: /no end of its body within 2 s/, timeoutMs: SHORT_MS },
  ],
  [
    'slow body of a refusal',
    (socket) => trickle(socket, `HTTP/1.1 429 Slow\r\nretry-after: 2\r\ncontent-length: 9999\r\n\r\n`),
    { becomes: TOO_MANY, status: 429, reason: /no end of its body/, retryAfterMs: 2_000, timeoutMs: SHORT_MS },
  ],
  [
    'upgrade',
    says('HTTP/1.1 101 Go\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    { becomes: 'unknown', status: undefined, reason: /./, timeoutMs: SHORT_MS },
  ],
  [
    'not HTTP',
    says('220 smtp.example ready\r\n\r\n'),
    { becomes: 'unknown', status: undefined, reason: /not HTTP.*HPE_/ },
  ],
  [
    'body cut short',
    (socket, operation) => void socket.end(reply(ok(operation), okBody(operation)).slice(0, -5)),
    { becomes: 'unknown', status: 'ok', reason: /cut short/ },
  ],
  [
    'chunked body cut short',
    (socket, operation) =>
      void socket.end(`HTTP/1.1 ${ok(operation)}\r\ntransfer-encoding: chunked\r\n\r\n2\r\n[]\r\n`),
    { becomes: 'unknown', status: 'ok', reason: /cut short/ },
  ],
  [
    'body cut short where only the end of the connection ends it',
    (socket, operation) => void socket.end(`HTTP/1.1 ${ok(operation)}\r\n\r\n${okBody(operation).slice(0, -5)}`),
    { becomes: 'unknown', status: 'ok', reason: /cannot be read/ },
  ],
  ['broken JSON', sayOk('{"id": "5fd4'), { becomes: 'unknown', status: 'ok', reason: /cannot be read/ }],
  ['empty body', sayOk(''), { becomes: 'unknown', status: 'ok', reason: /cannot be read/ }],
  ['null', sayOk('null'), { becomes: 'unknown', status: 'ok', reason: /cannot be read/ }],
  [
    'HTML with status of success',
    sayOk('<html>Sign in</html>'),
    { becomes: 'unknown', status: 'ok', reason: /cannot be read/ },
  ],
  [
    'error with status of success',
    sayOk('{"error":"no"}'),
    { becomes: 'unknown', status: 'ok', words: 'no', reason: /cannot be read/ },
  ],
  [
    'too large an answer',
    sayOk(`"${'x'.repeat(1_100_000)}"`),
    { becomes: 'unknown', status: 'ok', reason: /more than \d+ bytes/ },
  ],
  [
    'broken compression',
    (socket, operation) => void socket.end(reply(ok(operation), 'nonsense', 'content-encoding: gzip\r\n')),
    { becomes: 'unknown', status: 'ok', reason: /cut short/ },
  ],
  ['204', says('HTTP/1.1 204 No Content\r\n\r\n'), { becomes: 'unknown', status: 204, reason: /HTTP 204/ }],
  [
    '202 without a record',
    says(json('202 Accepted', {})),
    { becomes: 'unknown', status: 202, reason: /HTTP 202|cannot be read/ },
  ],
  [
    '400',
    says(json('400 Bad Request', { error: 'Bad id' })),
    { becomes: 'refused', status: 400, words: 'Bad id', reason: /^HTTP 400$/ },
  ],
  [
    '400 of a gateway',
    says(reply('400 Bad Request', 'Bad')),
    { becomes: 'unknown', status: 400, reason: /without LeadConduit's own/ },
  ],
  [
    '401',
    says(json('401 Unauthorized', { error: 'Who?' })),
    { becomes: 'credentials', looks: 'credentials', status: 401, words: 'Who?', reason: /401/ },
  ],
  [
    '403',
    says(json('403 Forbidden', { error: 'No' })),
    { becomes: 'credentials', looks: 'credentials', status: 403, words: 'No', reason: /403/ },
  ],
  [
    '403 of a gateway',
    says(reply('403 Forbidden', '<html>No</html>')),
    { becomes: 'unknown', looks: 'credentials', status: 403, reason: /without LeadConduit's own/ },
  ],
  [
    '404',
    says(json('404 Not Found', { error: 'Not found' })),
    { becomes: 'refused', status: 404, words: 'Not found', reason: /404/ },
  ],
  ['408', says(json('408 Request Timeout', {})), { becomes: 'unknown', status: 408, reason: /408/ }],
  [
    '409',
    says(json('409 Conflict', { error: '' })),
    { becomes: 'refused', looksFirst: true, status: 409, words: '', reason: /409/ },
  ],
  [
    '400 that says it exists',
    says(json('400 Bad Request', { error: 'Onboard Already Exists' })),
    { becomes: 'refused', looksFirst: true, status: 400, words: 'Onboard Already Exists', reason: /^HTTP 400$/ },
  ],
  [
    '422',
    says(json('422 Unprocessable', { error: 'x'.repeat(9_000) })),
    { becomes: 'refused', status: 422, words: 'x'.repeat(2_000), reason: /422/ },
  ],
  [
    "307 in LeadConduit's own words",
    says(json('307 Temporary Redirect', { error: 'There' }, 'location: http://127.0.0.1:1/\r\n')),
    { becomes: 'refused', status: 307, words: 'There', reason: /307/ },
  ],
  [
    '413',
    says(json('413 Large', { error: 'Long' })),
    { becomes: 'refused', status: 413, words: 'Long', reason: /413/ },
  ],
  ['415', says(json('415 Type', { error: 'Odd' })), { becomes: 'refused', status: 415, words: 'Odd', reason: /415/ }],
  [
    '425',
    says(json('425 Early', { error: 'Wait' })),
    { becomes: 'unknown', status: 425, words: 'Wait', reason: /425/ },
  ],
  [
    '422 of another shape',
    says(json('422 Unprocessable', { error: { code: 1 } })),
    { becomes: 'unknown', status: 422, reason: /422 without/ },
  ],
  [
    '429 in seconds',
    says(json('429 Slow', { error: 'Slow' }, 'retry-after: 7\r\n')),
    { becomes: TOO_MANY, status: 429, words: 'Slow', retryAfterMs: 7_000, reason: /429/ },
  ],
  [
    '429 at a date',
    (s) => void s.end(reply('429 Slow', '', `retry-after: ${inThirtySeconds()}\r\n`)),
    { becomes: TOO_MANY, status: 429, retryAfterMs: 30_000, reason: /429/ },
  ],
  [
    '429 for days',
    says(reply('429 Slow', '', 'retry-after: 999999\r\n')),
    { becomes: TOO_MANY, status: 429, retryAfterMs: 3_600_000, reason: /429/ },
  ],
  [
    '429 with nonsense',
    says(reply('429 Slow', '', 'retry-after: -5 or so\r\n')),
    { becomes: TOO_MANY, status: 429, reason: /429/ },
  ],
  [
    '500',
    says(json('500 Error', { error: 'Oops' })),
    { becomes: 'unknown', status: 500, words: 'Oops', reason: /500/ },
  ],
  [
    '502 in HTML',
    says(reply('502 Bad Gateway', '<html>502</html>')),
    { becomes: 'unknown', status: 502, reason: /^HTTP 502 without LeadConduit's own error body$/ },
  ],
  [
    '503 after a date',
    says(reply('503 Busy', '', 'retry-after: Sun, 06 Nov 1994 08:49:37 GMT\r\n')),
    { becomes: 'unknown', status: 503, retryAfterMs: 0, reason: /503/ },
  ],
];

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

test.each<Protocol>(['http', 'https'])('a redirect is an answer: nothing follows it, over %s', async (protocol) => {
  const elsewhere = await rawServer(undefined, protocol);
  const redirect = reply('307 Temporary Redirect', '', `location: ${elsewhere.baseUrl}/onboards\r\n`);
  const server = await rawServer((socket) => void socket.end(redirect), protocol);
  const it = client({ baseUrl: server.baseUrl });
  for (const operation of OPERATIONS) {
    const error = await failure(run(it, operation));
    expect(error).toMatchObject({ sent: true, status: 307 });
    expect(outcomeOf(error, 'create').kind).toBe('unknown'); // its body is not LeadConduit's own
  }
  expect(elsewhere.seen.connections).toBe(0);
});

test('the key is taken out of what LeadConduit quotes, in every form', async () => {
  const quoted = [
    KEY,
    encodeURIComponent(KEY),
    encodeURIComponent(KEY).toLowerCase(),
    Buffer.from(KEY).toString('base64'),
    Buffer.from(`API:${KEY}`).toString('base64'),
    encodeURIComponent(Buffer.from(`API:${KEY}`).toString('base64')),
  ];
  const server = await rawServer((socket) => void socket.end(json('401 No', { error: `bad <${quoted.join('> <')}>` })));
  const error = await failure(run(client({ baseUrl: server.baseUrl }), 'create'));
  expect(error.words).toMatch(/^bad( <\*{3}(=|%3D)*>){6}$/);
});

describe('the request', () => {
  test('carries the key, JSON, and the whole record; a write has a connection of its own, looks share one', async () => {
    const seen: object[] = [];
    let connections = 0;
    const server = http.createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const { authorization, connection, 'content-type': type } = request.headers;
        seen.push({ call: `${request.method!} ${request.url!}`, authorization, connection, type, body });
        const answer = gzipSync(JSON.stringify(request.method === 'GET' ? [RECORD] : RECORD));
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(answer);
      });
    });
    server.on('connection', () => (connections += 1));
    const it = client({ baseUrl: `http://127.0.0.1:${await listen(server)}/base` });
    for (const operation of ['look', 'look', 'look', 'create', 'put'] as const) await run(it, operation);
    const authorization = `Basic ${Buffer.from(`API:${KEY}`).toString('base64')}`;
    const look = { call: 'GET /base/onboards', authorization, connection: 'keep-alive', type: undefined, body: '' };
    const write = { authorization, connection: 'close', type: 'application/json' };
    const put = JSON.stringify({ ...RECORD, status: 'in_progress' });
    expect(seen).toEqual([
      look,
      look,
      look,
      { ...write, call: 'POST /base/onboards', body: JSON.stringify({ invitation_id: INVITATION }) },
      { ...write, call: `PUT /base/onboards/${ONBOARD.toUpperCase()}`, body: put },
    ]);
    expect(connections).toBe(3);
  });

  test('is not sent when it is too large', async () => {
    const server = await rawServer();
    const record = { ...RECORD, notes: 'x'.repeat(2_000_000) };
    const error = await failure(client({ baseUrl: server.baseUrl }).putOnboard(ONBOARD, record, permit()));
    expect(error.sent).toBe(false);
    expect(server.seen.connections).toBe(0);
  });

  test.each<Protocol>(['http', 'https'])(
    'a look over a kept-alive connection that closes under it is one failed look, over %s',
    async (protocol) => {
      const server = await rawServer((socket) => {
        if (server.seen.requests.length === 2) socket.resetAndDestroy();
        else socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]`);
      }, protocol);
      const it = client({ baseUrl: server.baseUrl });
      await it.look(soon());
      const error = await failure(it.look(soon()));
      expect(error).toMatchObject({ sent: true, status: undefined });
      expect(server.seen).toMatchObject({ connections: 1, requests: { length: 2 } });
      await it.look(soon());
      expect(server.seen.connections).toBe(2);
    },
  );
});

describe('not sent, proven by the connection', () => {
  async function secureServer(identity: { key: string; cert: string }) {
    const seen = { requests: 0, connections: 0 };
    const server = https.createServer(identity, (request, response) => {
      seen.requests += 1;
      request.resume().on('end', () => response.end(JSON.stringify(request.method === 'GET' ? [RECORD] : RECORD)));
    });
    server.on('connection', () => (seen.connections += 1));
    return { seen, baseUrl: `https://127.0.0.1:${await listen(server)}` };
  }

  /** A port whose backlog is full, of a thread that never accepts: the system drops whoever else wants to connect. */
  async function blackHole(): Promise<string> {
    const code = `const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('node:worker_threads').parentPort.postMessage(server.address().port);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
    const worker = new Worker(code, { eval: true });
    closers.push(() => worker.terminate());
    const [port] = (await once(worker, 'message')) as [number];
    const fillers = Array.from({ length: 8 }, () => net.connect(port, '127.0.0.1').on('error', () => undefined));
    closers.push(() => fillers.forEach((socket) => socket.destroy()));
    await once(fillers[0]!, 'connect');
    return `127.0.0.1:${port}`;
  }

  async function refusing(protocol: Protocol): Promise<string> {
    const server = net.createServer();
    const port = await listen(server);
    server.close();
    await once(server, 'close');
    return `${protocol}://127.0.0.1:${port}`;
  }

  const answeringHandshakeWith = async (answer: (socket: Socket) => void) => {
    const server = net.createServer((socket) => socket.once('data', () => answer(socket)));
    return { baseUrl: `https://127.0.0.1:${await listen(server)}` };
  };

  /** The system's own resolver may take its time, or be led to answer with somebody's address. */
  const unresolved = (code: string, protocol: Protocol = 'http') => {
    const lookup = jest.spyOn(dns, 'lookup').mockImplementation((...args: unknown[]) => {
      const answer = args.at(-1) as (error: Error) => void;
      process.nextTick(answer, Object.assign(new Error(code), { code, syscall: 'getaddrinfo' }));
    });
    closers.push(() => lookup.mockRestore());
    return Promise.resolve({ baseUrl: `${protocol}://nobody.invalid` });
  };

  const hang = { timeoutMs: SHORT_MS };
  const BEFORE_SENDING: [string, () => Promise<Partial<LeadConduitOptions> & { baseUrl: string }>, RegExp][] = [
    ['refused', async () => ({ baseUrl: await refusing('http') }), /^connection refused \(ECONNREFUSED\)$/],
    [
      'refused, over https',
      async () => ({ baseUrl: await refusing('https') }),
      /^connection refused \(ECONNREFUSED\)$/,
    ],
    [
      'no answer to the connect',
      async () => ({ baseUrl: `http://${await blackHole()}`, ...hang }),
      /^no connection within 2 s$/,
    ],
    [
      'no answer to the connect, over https',
      async () => ({ baseUrl: `https://${await blackHole()}`, ...hang }),
      /^no connection within 2 s$/,
    ],
    ['unknown name', () => unresolved('ENOTFOUND'), /^host name not found \(ENOTFOUND\)$/],
    ['unknown name, over https', () => unresolved('ENOTFOUND', 'https'), /^host name not found \(ENOTFOUND\)$/],
    [
      'name that nobody can look up now',
      () => unresolved('EAI_AGAIN'),
      /^host name cannot be looked up .*\(EAI_AGAIN\)$/,
    ],
    [
      'a certificate nobody vouches for',
      async () => ({ ...(await secureServer(right)), ca: undefined }),
      /^certificate not trusted.*SELF_SIGNED/,
    ],
    [
      'a certificate for another name',
      async () => ({ ...(await secureServer(elsewhere)), ca: elsewhere.cert }),
      /^certificate is for another host name/,
    ],
    [
      'TLS that hangs',
      async () => ({ ...(await answeringHandshakeWith(() => undefined)), ...hang }),
      /^no connection within/,
    ],
    ['TLS that is reset', () => answeringHandshakeWith((socket) => socket.resetAndDestroy()), /ECONNRESET/],
    ['TLS that ends', () => answeringHandshakeWith((socket) => socket.end()), /ECONNRESET/],
    ['no TLS there', () => answeringHandshakeWith((s) => s.end(reply('400 Plain', ''))), /^no TLS connection/],
  ];

  test.each(BEFORE_SENDING)('%s', async (_, place, reason) => {
    const options = await place();
    let asked = 0;
    const it = client(options);
    for (const operation of OPERATIONS) {
      const error = await failure(run(it, operation, () => void (asked += 1)));
      expect(error).toMatchObject({ operation, sent: false, status: undefined, words: undefined, noSlot: false });
      expect(error.reason).toMatch(reason);
      for (const effect of EFFECT_NAMES) expect(outcomeOf(error, effect).kind).toBe('not_sent');
    }
    expect(asked).toBe(0);
    if ('seen' in options) expect(options.seen).toEqual({ requests: 0, connections: 3 });
  });

  test('when the time is up, a connection that is not open yet is given up', async () => {
    const server = net.createServer();
    const it = client({ baseUrl: `https://127.0.0.1:${await listen(server)}`, ...hang });
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const error = failure(run(it, 'create'));
    const [socket] = await accepted;
    socket.resume();
    await once(socket, 'close'); // the client has hung up: nothing that the server says now can make it send
    expect((await error).sent).toBe(false);
  });

  test('over TLS: looks, creates and puts', async () => {
    const { baseUrl, seen } = await secureServer(right);
    const it = client({ baseUrl, ca: right.cert });
    for (const operation of ['look', 'look', 'create', 'put'] as const) await run(it, operation);
    expect(seen).toEqual({ requests: 4, connections: 3 });
  });

  describe.each(['http', 'https'])('the gate, over %s', (protocol) => {
    async function upstream() {
      if (protocol === 'https') return { ...(await secureServer(right)), ca: right.cert };
      const raw = await rawServer((socket) => void socket.end(json('200 OK', RECORD)));
      return { baseUrl: raw.baseUrl, seen: raw.seen };
    }

    test.each([
      ['says no', () => 'the look is too old', 'the look is too old'],
      [
        'throws',
        () => {
          throw new Error(KEY);
        },
        'the last check before sending failed',
      ],
    ])('%s: no byte of the request is seen', async (_, gate, reason) => {
      const { seen, ...options } = await upstream();
      const stages: string[] = [];
      const it = client({ ...options, onStage: ({ stage }) => stages.push(stage) });
      expect(await failure(run(it, 'create', gate))).toMatchObject({ sent: false, reason, noSlot: false });
      expect(stages).toEqual(['connecting']);
      await run(it, 'create'); // its answer comes after anything that the first could have sent
      expect(seen).toMatchObject({ connections: 2 });
      expect('bytes' in seen ? seen.requests.length : seen.requests).toBe(1);
    });

    test('is asked once, after the connection is open and before anything is sent', async () => {
      const options = await upstream();
      const events: (WireEvent | string)[] = [];
      const onStage = (event: WireEvent) => {
        events.push(event);
        throw new Error('a watcher that fails changes nothing');
      };
      await run(client({ ...options, onStage }), 'create', () => void events.push('gate'));
      const at = (stage: string) => ({ operation: 'create', stage, invitationId: INVITATION });
      expect(events).toEqual([at('connecting'), 'gate', at('open'), at('sent'), at('answered')]);
    });
  });
});
