/** Whatever goes wrong is said in one way, at once where it can be; nothing is queued without end or lost at the end. */
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { createApp } from '../../src/http/app';
import { Keys } from '../../src/http/keys';
import { Api, eventually, KEY, sessionsOf, type Answer } from '../support/api';
import { newId, World } from '../support/world';

let world: World;
let api: Api;
beforeAll(async () => {
  world = await World.start();
  api = await Api.start(world);
});
afterAll(async () => {
  await api.close();
  await world.close();
});

describe('what is not well formed is refused in words, and nothing is made', () => {
  const ID = newId();
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const cases: [string, () => Promise<Answer>, number, RegExp][] = [
    ['no JSON', () => api.post('/onboards', '{"invitation_id":'), 400, /JSON/],
    ['an empty body', () => api.post('/onboards', ''), 400, /JSON/],
    ['JSON that is no object', () => api.post('/onboards', [ID]), 400, /object/],
    [
      'an invitation that is no id',
      () => api.post('/onboards', { invitation_id: '64b8' }),
      400,
      /^invitation_id: must be 24 hex/,
    ],
    [
      'a flow that is no id',
      () => api.post('/onboards', { invitation_id: ID, flow_id: 'x' }),
      400,
      /^flow_id: must be 24 hex/,
    ],
    ['two mistakes are both told', () => api.post('/onboards', { flow_id: 'x' }), 400, /invitation_id: .*; flow_id: /],
    [
      'a label of two lines',
      () => api.post('/onboards', { invitation_id: ID, label: 'a\nb' }),
      400,
      /^label: must be a text of one line/,
    ],
    [
      'a label of which nothing shows',
      () => api.post('/onboards', { invitation_id: ID, label: '\u200b' }),
      400,
      /^label: must be a text of one line, with a character that shows$/,
    ],
    ['a note of which nothing shows', () => api.post(`/onboards/${ID}/note`, { text: '\u2800\n' }), 400, /^text: /],
    [
      'a body in Latin-1',
      () => api.post('/onboards', Buffer.from(JSON.stringify({ invitation_id: ID, label: 'Müller' }), 'latin1')),
      400,
      /not in UTF-8/,
    ],
    ['an id in the path that is none', () => api.get('/onboards/64b8'), 400, /^id: must be 24 hex/],
    ['a limit that is none', () => api.get('/onboards?limit=0'), 400, /^limit: /],
    ['a cursor that is none', () => api.get('/onboards?after=x'), 400, /^after: /],
    ['a form', () => api.post('/onboards', `invitation_id=${ID}`, { headers: form }), 415, /application\/json/],
    [
      'JSON that does not say so',
      () => api.post('/onboards', { invitation_id: ID }, { headers: { 'content-type': 'text/plain' } }),
      415,
      /application\/json/,
    ],
    ['a path where nothing is', () => api.get('/onboards/a/b/c'), 404, /^Nothing is at \/onboards\/a\/b\/c$/],
    ['a path outside', () => api.get('/nothing', { key: null }), 404, /^Nothing is at \/nothing$/],
  ];
  test.each(cases)('%s', async (_, call, status, words) => {
    const answer = await call();
    expect(answer).toMatchObject({ status, body: { error: expect.stringMatching(words) as string } });
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(Object.keys(answer.body as object)).toEqual(['error']);
    expect(await world.effects(ID)).toMatchObject({ posts: 0 });
    expect((await api.get('/onboards')).body).toEqual([]);
  });

  test('a method that there is not: 405 with those that there are', async () => {
    const allowed = async (method: string, path: string) => {
      const answer = await api.call(method, path);
      expect(answer).toMatchObject({ status: 405, body: { error: `${path} does not accept ${method}` } });
      return answer.headers.get('allow')?.split(', ').sort().join();
    };
    expect(await allowed('DELETE', '/onboards')).toBe('GET,HEAD,POST');
    expect(await allowed('DELETE', `/onboards/${ID}`)).toBe('GET,HEAD,PUT');
    expect(await allowed('POST', `/onboards/${ID}/state`)).toBe('GET,HEAD');
    expect(await allowed('GET', `/onboards/${ID}/hold`)).toBe('POST');
    expect(await allowed('POST', '/healthz')).toBe('GET,HEAD');
  });

  describe('a body over 1 MB: 413', () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    afterAll(() => agent.destroy());
    const large = (megabytes: number) =>
      JSON.stringify({ invitation_id: ID, label: 'x'.repeat(megabytes * 1024 * 1024) });

    test.each([
      ['of a length that is told', 20, {}],
      ['in pieces', 3, { 'transfer-encoding': 'chunked' }],
    ])('%s; and what follows on the connection is answered', async (_, megabytes, headers) => {
      const answers = [
        await raw(api.url, agent, 'POST', '/onboards', large(megabytes), headers),
        await raw(api.url, agent, 'GET', '/onboards'),
      ];
      // Longer than the server lets go of connections whose rest it has not read.
      await new Promise((resolve) => setTimeout(resolve, 600));
      answers.push(await raw(api.url, agent, 'GET', '/onboards'));
      expect(answers).toEqual([
        { status: 413, body: { error: expect.stringContaining('1 MB') as string } },
        { status: 200, body: [] },
        { status: 200, body: [] },
      ]);
      expect(await world.effects(ID)).toMatchObject({ posts: 0 });
    });
  });

  test.each([
    ['no HTTP', 'what is this\r\n\r\n', 400, 'This is not HTTP/1.1'],
    ['HTTP with large headers', `GET / HTTP/1.1\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 431, /larger than 16 KB/],
  ])('what is %s', async (_, sent, status, words) => {
    const socket = net.connect(Number(new URL(api.url).port), '127.0.0.1');
    socket.write(sent);
    const [head = '', body = ''] = Buffer.concat((await socket.toArray()) as Buffer[])
      .toString()
      .split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect((JSON.parse(body) as { error: string }).error).toMatch(words);
  });
});

test.each([
  ['that tells its kind', { 'sec-fetch-site': 'cross-site' }],
  ['of the same machine', { 'sec-fetch-site': 'same-site' }],
  ['that tells only its origin', { origin: 'http://elsewhere.example' }],
  ['that tells none', { origin: 'null' }],
])('what a page %s makes a browser send that knows our key', async (_, headers) => {
  await api.create({ invitation_id: world.invitation });
  expect(await api.call('POST', `/onboards/${world.invitation}/hold`, { headers })).toMatchObject({ status: 403 });
  expect(await api.state(world.invitation)).toMatchObject({ held: false });
});

/** As `Api.call`, on the connections of an agent. */
async function raw(
  url: string,
  agent: http.Agent,
  method: string,
  path: string,
  body?: string,
  headers: http.OutgoingHttpHeaders = {},
) {
  const request = http.request(url + path, {
    method,
    agent,
    auth: `API:${KEY}`,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
  });
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const chunks = (await response.toArray()) as Buffer[];
  return { status: response.statusCode, body: JSON.parse(Buffer.concat(chunks).toString()) as unknown };
}

test('Temporal that goes away between two of its answers: 503, too', async () => {
  const [cancelled, completed] = [newId(), newId()];
  for (const invitation_id of [cancelled, completed]) await api.create({ invitation_id });
  await api.post(`/onboards/${cancelled}/cancel`, {});
  await api.post(`/onboards/${completed}/advance`, { to: 'completed' });
  await api.until(cancelled, ({ phase }) => phase === 'cancelled');
  await api.until(completed, ({ phase }) => phase === 'done');
  const gone = () => {
    throw Object.assign(new Error('gone'), { code: 14, details: 'gone', metadata: { get: () => [] } });
  };
  const { workflowService } = world.temporal;
  const history = jest.spyOn(workflowService, 'getWorkflowExecutionHistory').mockImplementation(gone);
  const again = await api.create({ invitation_id: cancelled });
  const query = jest.spyOn(workflowService, 'queryWorkflow').mockImplementation(gone);
  const ended = await api.get(`/onboards/${completed}/state`);
  for (const spy of [history, query]) {
    expect(spy).toHaveBeenCalled();
    spy.mockRestore();
  }
  for (const answer of [again, ended]) expect(answer).toMatchObject({ status: 503, body: { error: 'Temporal: gone' } });
  expect(await api.create({ invitation_id: cancelled })).toMatchObject({ status: 201 });
});

describe('more than can be held', () => {
  const MOST = 16;
  let full: Api;
  beforeEach(async () => {
    full = await Api.start(world, undefined, MOST);
  });
  afterEach(async () => {
    await world.mend();
    await full.close();
  });

  test('is refused at once with 503, but for who only reads, and when to come again; what was let in is answered, and repeated nothing is lost or doubled', async () => {
    await world.faults({ on: 'GET', when: 'before', do: 'hang', times: 10_000 });
    const ids = Array.from({ length: 2 * MOST }, newId);
    const later = ids.slice(MOST);
    const held = ids.slice(0, MOST).map((invitation_id) => full.create({ invitation_id }));
    // All of them have been let in once another one is not.
    await eventually(async () => (await full.post('/onboards', {})).status === 503);
    expect(await full.get('/onboards')).toMatchObject({ status: 200 });

    const refused = await Promise.all(later.map((invitation_id) => full.create({ invitation_id })));
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]));
    for (const { headers, body, ms } of refused) {
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect(body).toEqual({ error: expect.stringMatching(/Too many requests with your key/) as string });
      expect(ms).toBeLessThan(10_000);
    }
    expect(await full.get('/healthz', { key: null })).toMatchObject({ status: 200 });

    await world.mend();
    expect(new Set((await Promise.all(held)).map(({ status }) => status))).toEqual(new Set([201]));
    const repeated = await Promise.all(later.map((invitation_id) => full.create({ invitation_id })));
    expect(new Set(repeated.map(({ status }) => status))).toEqual(new Set([201]));
    const { invitations } = await world.ledger();
    for (const id of ids) expect(invitations[id]).toMatchObject({ posts: 1, creates: 1 });
  });
});

describe('its end', () => {
  let ending: Api;
  beforeEach(async () => {
    ending = await Api.start(world);
  });
  afterEach(() => ending.close());

  test('a request that waits is answered with how it stands; nothing new is taken, on no connection', async () => {
    const id = newId();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    await world.faults({ on: 'GET', when: 'before', do: 'hang', times: 10_000 });
    const { GET: before } = (await world.ledger()).calls;
    const waiting = raw(ending.url, agent, 'POST', '/onboards', JSON.stringify({ invitation_id: id }));
    await eventually(async () => (await world.ledger()).calls.GET > before);
    const began = performance.now();
    const closed = ending.close();
    expect(await waiting).toMatchObject({ status: 202, body: { invitation_id: id, record: null, stale: false } });
    await expect(raw(ending.url, agent, 'GET', '/onboards')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await closed;
    expect(performance.now() - began).toBeLessThan(10_000);
    agent.destroy();

    // The onboard goes on without this process.
    await world.mend();
    expect(await api.create({ invitation_id: id })).toMatchObject({ status: 201 });
    expect(await world.effects(id)).toMatchObject({ posts: 1, creates: 1 });
  });

  test('one that changes something is answered too', async () => {
    const { body } = await ending.create({ invitation_id: world.invitation });
    const record = body as { id: string };
    await world.faults({ on: 'PUT', when: 'before', do: 'status', status: 429, retry_after: 5 });
    const waiting = ending.put(`/onboards/${record.id}`, { ...record, status: 'in_progress' });
    await world.until('asked', ({ phase }) => phase === 'updating');
    await Promise.all([
      ending.close(),
      expect(waiting).resolves.toMatchObject({ status: 202, body: { phase: 'updating' } }),
    ]);
  });

  test('/readyz says so, /healthz does not', async () => {
    const draining = new AbortController();
    const app = createApp({
      onboards: world.onboards,
      keys: new Keys([]),
      completedStatus: 'completed',
      draining: draining.signal,
      sessionsFolder: sessionsOf(world),
      neighbours: () => ({}),
      host: '0.0.0.0',
    });
    expect((await app.request('/readyz')).status).toBe(200);
    draining.abort();
    const ready = await app.request('/readyz');
    expect([ready.status, await ready.json()]).toEqual([503, { error: 'This process is ending' }]);
    expect((await app.request('/healthz')).status).toBe(200);
  });
});
