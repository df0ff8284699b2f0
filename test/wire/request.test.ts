/** What a request says and to whom, how many connections it takes, and that no answer leads it elsewhere. */
import http from 'node:http';
import { gzipSync } from 'node:zlib';
import { outcomeOf } from '../../src/activities/outcome-of-error';
import {
  client,
  failure,
  INVITATION,
  json,
  KEY,
  listen,
  ONBOARD,
  OPERATIONS,
  permit,
  rawServer,
  RECORD,
  reply,
  run,
  soon,
  type Protocol,
} from '../support/wire';

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
