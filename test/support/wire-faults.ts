/** What LeadConduit, or something in between, can do with a request that it has read, and which outcome that makes. */
import type { Socket } from 'node:net';
import type { CallName } from '../../src/leadconduit/leadconduit-error';
import type { Outcome } from '../../src/onboard/outcome';
import { json, RECORD, reply, SHORT_MS } from './wire';

const ok = (operation: CallName) => (operation === 'create' ? '201 Created' : '200 OK');
const okBody = (operation: CallName) => JSON.stringify(operation === 'look' ? [RECORD] : RECORD);
const trickle = (socket: Socket, start: string) => {
  socket.write(start);
  const timer = setInterval(() => socket.write('x'), 20);
  socket.on('close', () => clearInterval(timer));
};
const inThirtySeconds = () => new Date(Date.now() + 30_000).toUTCString();

export interface Expected {
  /** 'ok' is 201 for a create, 200 otherwise. */
  status: number | 'ok' | undefined;
  reason: RegExp;
  words?: string;
  retryAfterMs?: number;
  timeoutMs?: number;
  /** The outcome of a write; if it is not the same for each, of a create, `in_progress` and `completed`. */
  becomes: Outcome['kind'] | readonly Outcome['kind'][];
  /** It is refused, but that may mean that the effect is there already. */
  looksFirst?: true;
  /** The result of a look; `unusable` if none is given. */
  looks?: 'credentials';
}
/** A gateway may have answered after the call went through: of a completing call nobody can be sure. */
const TOO_MANY = ['not_sent', 'not_sent', 'unknown'] as const;
export type Behaviour = (socket: Socket, operation: CallName) => void;
const says =
  (bytes: string): Behaviour =>
  (socket) =>
    void socket.end(bytes);
const sayOk =
  (body: string): Behaviour =>
  (socket, operation) =>
    void socket.end(reply(ok(operation), body));

/** The whole request was sent, and none is repeated. */
export const AFTER_SENDING: [string, Behaviour, Expected][] = [
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
    { becomes: 'unknown', status: 'ok', reason: /its body did not end within 2 s/, timeoutMs: SHORT_MS },
  ],
  [
    'slow body of a refusal',
    (socket) => trickle(socket, `HTTP/1.1 429 Slow\r\nretry-after: 2\r\ncontent-length: 9999\r\n\r\n`),
    { becomes: TOO_MANY, status: 429, reason: /its body did not end/, retryAfterMs: 2_000, timeoutMs: SHORT_MS },
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
