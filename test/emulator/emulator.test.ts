import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { newRecord } from '../../src/emulator/ledger';
import { startEmulator, type Emulator, type EmulatorOptions } from '../../src/emulator/serve';
import type { OnboardRecord } from '../../src/leadconduit/schema';

const HEX = /^[0-9a-f]{24}$/;
const INVITATION = '64b8f0f5e4b0c3a1d5e6f7a8';
const OTHER = '64b8f0f5e4b0c3a1d5e6f7a9';
const FLOW = '64b8f0f5e4b0c3a1d5e6f7ab';

interface Reply {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
  json: unknown;
}
interface Extra {
  auth?: string | null;
  type?: string | null;
  raw?: string;
  signal?: AbortSignal;
  agent?: http.Agent | false;
}
interface Summary {
  invitations: Record<string, { posts: number; creates: number; puts: number; completes: number; emails: number }>;
  calls: { GET: number; POST: number; PUT: number };
  max_in_flight: number;
}

let running: Emulator[] = [];
let children: ChildProcess[] = [];
let folders: string[] = [];

async function start(options: Partial<EmulatorOptions> = {}): Promise<Emulator> {
  const emulator = await startEmulator({ port: 0, ...options });
  running.push(emulator);
  return emulator;
}

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'emulator-'));
  folders.push(made);
  return made;
}

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(running.map((emulator) => emulator.close()));
  for (const made of folders) rmSync(made, { recursive: true });
  running = [];
  children = [];
  folders = [];
});

/** One call on a connection of its own, so that nothing is sent again behind the test's back. */
function call(url: string, method: string, target: string, body?: unknown, extra: Extra = {}): Promise<Reply> {
  const { auth = 'API:some-key', type = 'application/json', raw, signal, agent = false } = extra;
  const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const headers = {
    ...(auth !== null && { authorization: `Basic ${Buffer.from(auth).toString('base64')}` }),
    ...(payload !== undefined && {
      'content-length': Buffer.byteLength(payload),
      ...(type && { 'content-type': type }),
    }),
  };
  return new Promise((resolve, reject) => {
    const request = http.request(url + target, { method, headers, agent, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', (error) => reject(Object.assign(error, { text, headers: response.headers })));
      response.on('end', () => {
        const isJson = response.headers['content-type'] === 'application/json';
        const json: unknown = isJson && text ? JSON.parse(text) : undefined;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
      });
    });
    request.on('error', reject);
    request.end(payload);
  });
}

type Server = Pick<Emulator, 'url'>;
const post = (to: Server, invitation_id = INVITATION, extra?: Extra) =>
  call(to.url, 'POST', '/onboards', { invitation_id }, extra);
const put = (to: Server, record: Partial<OnboardRecord>, id = record.id ?? '') =>
  call(to.url, 'PUT', `/onboards/${id}`, record);
const get = (to: Server, extra?: Extra) => call(to.url, 'GET', '/onboards', undefined, extra);
const plan = (to: Server, ...faults: object[]) => call(to.url, 'PUT', '/_emulator/faults', faults, { auth: null });
const set = (to: Server, options: object) => call(to.url, 'PUT', '/_emulator/options', options, { auth: null });
const recordOf = (reply: Reply) => reply.json as OnboardRecord;
const listed = async (to: Server) => (await get(to)).json as OnboardRecord[];
const summary = async (to: Server) =>
  (await call(to.url, 'GET', '/_emulator/ledger', undefined, { auth: null })).json as Summary;
const effects = async (to: Server, invitation = INVITATION) => (await summary(to)).invitations[invitation];
const made = async (to: Server, invitation?: string) => recordOf(await post(to, invitation));

/** Asks until it is so: for what happens in the server while its answer is held back. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('the documented contract', () => {
  test('a POST makes an onboard, as the reference shows it', async () => {
    const emulator = await start();
    const reply = await post(emulator);
    const record = recordOf(reply);
    expect(reply.status).toBe(201);
    expect(record).toEqual({
      invitation_id: INVITATION,
      id: expect.stringMatching(HEX) as string,
      account_id: expect.stringMatching(HEX) as string,
      connection_id: expect.stringMatching(HEX) as string,
      flow_id: null,
      status: 'created',
      created_at: record.updated_at,
      updated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
    });
    expect((await get(emulator)).json).toEqual([record]);
  });

  test('a second POST makes a second onboard: nothing upstream prevents it', async () => {
    const emulator = await start();
    const [first, second] = [await made(emulator), await made(emulator)];
    expect(second.id).not.toBe(first.id);
    expect(await listed(emulator)).toEqual([first, second]);
    expect(await effects(emulator)).toEqual({ posts: 2, creates: 2, puts: 0, completes: 0, emails: 0 });
  });

  test('ids are kept as they were given and counted in lower case', async () => {
    const emulator = await start();
    expect((await made(emulator, INVITATION.toUpperCase())).invitation_id).toBe(INVITATION.toUpperCase());
    expect(Object.keys((await summary(emulator)).invitations)).toEqual([INVITATION]);
  });

  test.each([
    ['given', FLOW, FLOW],
    ['null', null, null],
  ])('flow_id %s', async (_, flow_id, kept) => {
    const emulator = await start();
    const reply = await call(emulator.url, 'POST', '/onboards', { invitation_id: INVITATION, flow_id });
    expect(recordOf(reply).flow_id).toBe(kept);
  });

  test('a PUT replaces the whole record: what is left out is lost', async () => {
    const emulator = await start();
    const record = await made(emulator);
    const whole = { ...record, flow_id: FLOW, status: 'in_progress', invitation_id: INVITATION.toUpperCase() };
    const reply = await call(emulator.url, 'PUT', `/onboards/${record.id.toUpperCase()}`, whole);
    expect(reply.status).toBe(200);
    const after = { ...record, flow_id: FLOW, status: 'in_progress', updated_at: recordOf(reply).updated_at };
    expect(reply.json).toEqual(after);
    expect(Date.parse(after.updated_at ?? '')).toBeGreaterThanOrEqual(Date.parse(record.created_at ?? ''));

    const bare = await put(emulator, { invitation_id: INVITATION, id: OTHER, created_at: 'never' }, record.id);
    const lost = { account_id: null, connection_id: null, flow_id: null, status: null };
    expect(bare.json).toEqual({ ...record, ...lost, updated_at: recordOf(bare).updated_at });
    expect(await listed(emulator)).toEqual([bare.json]);
    expect(await effects(emulator)).toEqual({ posts: 1, creates: 1, puts: 2, completes: 0, emails: 0 });
  });

  test.each(['completed', 'completed_flows_sync'])(
    '%s sets up and e-mails, each time that it is sent',
    async (status) => {
      const emulator = await start();
      const record = await made(emulator);
      await put(emulator, { ...record, status: 'in_progress' });
      expect(await effects(emulator)).toMatchObject({ puts: 1, completes: 0, emails: 0 });
      expect(recordOf(await put(emulator, { ...record, status })).status).toBe(status);
      expect(await effects(emulator)).toMatchObject({ puts: 2, completes: 1, emails: 1 });
      await put(emulator, { ...record, status });
      expect(await effects(emulator)).toMatchObject({ puts: 3, completes: 2, emails: 2 });
    },
  );

  test.each<[string, string, string, unknown, Extra, number]>([
    ['no invitation', 'POST', '/onboards', {}, {}, 400],
    ['an invitation that is no id', 'POST', '/onboards', { invitation_id: 'abc' }, {}, 400],
    ['a flow that is no id', 'POST', '/onboards', { invitation_id: INVITATION, flow_id: 'abc' }, {}, 400],
    ['no object', 'POST', '/onboards', [], {}, 400],
    ['broken JSON', 'POST', '/onboards', undefined, { raw: '{' }, 400],
    ['no body', 'POST', '/onboards', undefined, { raw: '' }, 400],
    ['too much', 'POST', '/onboards', undefined, { raw: ' '.repeat(1024 * 1024 + 1) }, 413],
    ['another content type', 'POST', '/onboards', {}, { type: 'text/plain' }, 415],
    ['no content type', 'POST', '/onboards', {}, { type: null }, 415],
    ['a path that is not there', 'GET', '/onboard', undefined, {}, 404],
    ['a GET of one', 'GET', `/onboards/${OTHER}`, undefined, {}, 405],
    ['a DELETE', 'DELETE', `/onboards/${OTHER}`, undefined, {}, 405],
    ['a PUT of all', 'PUT', '/onboards', {}, {}, 405],
    ['an unknown onboard', 'PUT', `/onboards/${OTHER}`, { invitation_id: INVITATION }, {}, 404],
    ['no credentials', 'GET', '/onboards', undefined, { auth: null }, 401],
    ['no key', 'GET', '/onboards', undefined, { auth: 'API:' }, 401],
    ['no password', 'GET', '/user', undefined, { auth: 'API' }, 401],
  ])('%s: refused in its own words', async (_, method, target, body, extra, status) => {
    const emulator = await start();
    const reply = await call(emulator.url, method, target, body, extra);
    expect([reply.status, reply.json]).toEqual([status, { error: expect.any(String) as string }]);
    expect(await listed(emulator)).toEqual([]);
  });

  test.each([
    ['no invitation', { invitation_id: undefined }, 'invitation_id'],
    ['another invitation', { invitation_id: OTHER }, 'invitation_id'],
    ['a status that is no string', { status: 5 }, 'status'],
    ['a flow that is no id', { flow_id: 'abc' }, 'flow_id'],
  ])('a PUT with %s changes nothing', async (_, wrong, name) => {
    const emulator = await start();
    const record = await made(emulator);
    const reply = await call(emulator.url, 'PUT', `/onboards/${record.id}`, { ...record, ...wrong });
    expect([reply.status, reply.json]).toEqual([400, { error: expect.stringContaining(name) as string }]);
    expect(await listed(emulator)).toEqual([record]);
  });

  test('1 MB is not too much', async () => {
    const emulator = await start();
    const body = JSON.stringify({ invitation_id: INVITATION });
    const raw = body + ' '.repeat(1024 * 1024 - body.length);
    expect((await call(emulator.url, 'POST', '/onboards', undefined, { raw })).status).toBe(201);
  });

  test('any key will do, with any user name, until one is set', async () => {
    const emulator = await start();
    expect((await get(emulator, { auth: 'x:y:z' })).status).toBe(200);
    expect((await get(emulator, { auth: ':y' })).status).toBe(200);
    await set(emulator, { key: 'the:one' });
    expect((await get(emulator, { auth: 'x:y' })).status).toBe(401);
    expect((await post(emulator, INVITATION, { auth: 'x:y' })).status).toBe(401);
    expect((await get(emulator, { auth: 'x:the:one' })).status).toBe(200);
    expect(await effects(emulator)).toBeUndefined();
    await set(emulator, { key: null });
    expect((await get(emulator, { auth: 'x:y' })).status).toBe(200);
  });

  test('GET /user tells whether a key is good', async () => {
    const emulator = await start();
    const reply = await call(emulator.url, 'GET', '/user?x=1');
    expect([reply.status, reply.json]).toEqual([200, { id: expect.stringMatching(HEX) as string }]);
  });

  test('records that were there before are listed and count for nothing', async () => {
    const records = [newRecord(INVITATION), newRecord(OTHER)];
    const emulator = await start({ records });
    expect(await listed(emulator)).toEqual(records);
    expect((await summary(emulator)).invitations).toEqual({});
  });
});

describe('the ledger', () => {
  test('records and counts survive a restart, a torn last line does not', async () => {
    const dataDir = path.join(folder(), 'not', 'there', 'yet');
    const first = await start({ dataDir, records: [newRecord(OTHER)] });
    const record = await made(first);
    await put(first, { ...record, status: 'in_progress' });
    await put(first, { ...record, status: 'completed' });
    const list = await listed(first);
    const told = await summary(first);
    await first.close();

    appendFileSync(path.join(dataDir, 'emulator.jsonl'), '{"effect":"created","rec');
    const second = await start({ dataDir });
    expect(await summary(second)).toEqual(told);
    expect(await listed(second)).toEqual(list);
    await set(second, { hide_created: true });
    expect(await listed(second)).toEqual([expect.objectContaining({ invitation_id: OTHER })]);
    const again = await made(second);
    await second.close();

    const third = await start({ dataDir });
    expect(await listed(third)).toEqual([...list, again]);
    expect(await effects(third)).toEqual({ posts: 2, creates: 2, puts: 2, completes: 1, emails: 1 });
  });

  test('an effect is in the file when the answer comes', async () => {
    const dataDir = folder();
    const record = await made(await start({ dataDir }));
    expect(readFileSync(path.join(dataDir, 'emulator.jsonl'), 'utf8')).toContain(record.id);
  });

  test('a damaged file is named, not read past', async () => {
    const dataDir = folder();
    writeFileSync(path.join(dataDir, 'emulator.jsonl'), '{"call":"GET","in_flight":1}\n{"call\n');
    await expect(start({ dataDir })).rejects.toThrow('emulator.jsonl, line 2');
  });

  test('calls are counted by method, ours are not', async () => {
    const emulator = await start();
    const record = await made(emulator);
    await put(emulator, record);
    await get(emulator);
    await get(emulator, { auth: null });
    await call(emulator.url, 'DELETE', '/onboards');
    expect((await summary(emulator)).calls).toEqual({ GET: 2, POST: 1, PUT: 1 });
  });

  test('max_in_flight counts a call that hangs until its socket is closed', async () => {
    const emulator = await start();
    await plan(emulator, { on: 'GET', when: 'before', do: 'hang', times: 3 });
    const leaving = new AbortController();
    const hanging = [get(emulator, leaving), get(emulator, leaving), get(emulator, leaving)];
    const ended = Promise.allSettled(hanging);
    await until(async () => (await summary(emulator)).max_in_flight === 3);
    leaving.abort();
    await ended;
    // All three have left: three at once again are not six.
    await Promise.all([get(emulator), get(emulator), get(emulator)]);
    expect(await summary(emulator)).toMatchObject({ calls: { GET: 6 }, max_in_flight: 3 });
  });
});

describe('faults', () => {
  const failure = { error: expect.any(String) as string };
  const FAULTS: [object, object][] = [
    [{ do: 'reset' }, { message: 'read ECONNRESET' }],
    [{ do: 'hang', ms: 20 }, { message: 'socket hang up' }],
    [{ do: 'truncate' }, { message: 'aborted', text: expect.stringMatching(/^\{"[^}]+$/) as string }],
    [{ do: 'slow', ms: 20 }, { status: 201 }],
    [{ do: 'status' }, { status: 500, json: failure }],
    [
      { do: 'status', status: 429, retry_after: 7 },
      { status: 429, json: failure, headers: { 'retry-after': '7' } },
    ],
    [
      { do: 'html' },
      { status: 502, headers: { 'content-type': 'text/html' }, text: expect.stringMatching('<html>') as string },
    ],
    [{ do: 'html', status: 503, retry_after: 'Wed, 21 Oct 2015 07:28:00 GMT' }, { status: 503 }],
    [{ do: 'foreign' }, { status: 201 }],
  ];
  const outcome = (reply: Promise<Reply>) => reply.catch((error: unknown) => error);

  describe.each(['before', 'after'])('%s the effect', (when) => {
    test.each(FAULTS)('%j', async (fault, seen) => {
      const emulator = await start();
      const record = await made(emulator, OTHER);
      await plan(emulator, { on: 'POST', when, ...fault }, { on: 'PUT', when, ...fault });
      const happens = when === 'after' || ('do' in fault && fault.do === 'slow') ? 1 : 0;

      expect(await outcome(post(emulator))).toMatchObject(seen);
      expect(await effects(emulator)).toEqual({ posts: 1, creates: happens, puts: 0, completes: 0, emails: 0 });

      await outcome(put(emulator, { ...record, status: 'completed' }));
      const counts = { posts: 1, creates: 1, puts: 1, completes: happens, emails: happens };
      expect(await effects(emulator, OTHER)).toEqual(counts);
      const list = await listed(emulator);
      expect(list).toHaveLength(1 + happens);
      expect(list[0]?.status).toBe(happens ? 'completed' : 'created');
    });
  });

  test('hang goes on until the faults are cleared, and its effect is there before', async () => {
    const emulator = await start();
    await plan(emulator, { on: 'POST', when: 'after', do: 'hang' }, { on: 'GET', when: 'before', do: 'reset' });
    const hanging = outcome(post(emulator));
    await until(async () => (await effects(emulator))?.creates === 1);
    await call(emulator.url, 'DELETE', '/_emulator/faults');
    expect(await hanging).toMatchObject({ code: 'ECONNRESET' });
    expect(await listed(emulator)).toHaveLength(1);
  });

  test('slow before the effect: it lands late, though the caller has gone', async () => {
    const emulator = await start();
    await plan(emulator, { on: 'POST', when: 'before', do: 'slow', ms: 500 });
    const leaving = new AbortController();
    const left = outcome(post(emulator, INVITATION, leaving));
    await until(async () => (await effects(emulator))?.posts === 1);
    leaving.abort();
    await left;
    expect(await listed(emulator)).toEqual([]);
    await until(async () => (await listed(emulator)).length === 1);
  });

  test('slow after the effect: it can be seen while the answer is awaited', async () => {
    const emulator = await start();
    await plan(emulator, { on: 'POST', when: 'after', do: 'slow', ms: 500 });
    let isAnswered = false;
    const answered = post(emulator).finally(() => (isAnswered = true));
    await until(async () => (await listed(emulator)).length === 1);
    expect(isAnswered).toBe(false);
    expect(await listed(emulator)).toEqual([(await answered).json]);
  });

  test('a slow list shows what is there afterwards, or what was there before', async () => {
    const emulator = await start();
    await plan(
      emulator,
      { on: 'GET', when: 'before', do: 'slow', ms: 500 },
      { on: 'GET', when: 'after', do: 'slow', ms: 500 },
    );
    const fresh = listed(emulator);
    await until(async () => (await summary(emulator)).calls.GET === 1);
    const stale = listed(emulator);
    await until(async () => (await summary(emulator)).calls.GET === 2);
    const record = await made(emulator);
    expect(await Promise.all([fresh, stale])).toEqual([[record], []]);
  });

  test('truncate promises all of the body and sends half of it', async () => {
    const emulator = await start({ records: [newRecord(INVITATION)] });
    const { text } = await get(emulator);
    await plan(emulator, { on: 'GET', when: 'before', do: 'truncate' });
    const cut = (await outcome(get(emulator))) as { text: string; headers: http.IncomingHttpHeaders };
    expect(cut.headers).toMatchObject({ 'content-type': 'application/json', 'content-length': String(text.length) });
    expect(cut.text).toBe(text.slice(0, text.length / 2));
  });

  test('foreign answers are well formed and about another invitation', async () => {
    const emulator = await start();
    const own = await made(emulator);
    const foreign = (on: string, when: string) => ({ on, when, do: 'foreign' });
    await plan(emulator, foreign('POST', 'after'), foreign('PUT', 'before'), foreign('GET', 'before'));
    const replies = [await post(emulator), await put(emulator, { ...own, status: 'in_progress' }), await get(emulator)];
    expect(replies.map((reply) => reply.status)).toEqual([201, 200, 200]);
    const [posted, replaced, list] = replies.map((reply) => reply.json);
    expect(replaced).toHaveProperty('status', 'in_progress');
    expect(list).toHaveLength(2);
    const strangers = [posted, replaced, ...(list as unknown[])] as OnboardRecord[];
    const ours = (await listed(emulator)).flatMap(({ id, invitation_id }) => [id, invitation_id]);
    for (const stranger of strangers) {
      expect(Object.keys(stranger)).toEqual(Object.keys(own));
      expect(ours).not.toContain(stranger.id);
      expect(ours).not.toContain(stranger.invitation_id);
    }

    const empty = await start();
    await plan(empty, foreign('GET', 'before'));
    expect(await listed(empty)).toHaveLength(1);
  });

  test('the first that matches and has times left is taken; what is left can be seen', async () => {
    const emulator = await start();
    const status = (code: number, more = {}) => ({ on: 'GET', when: 'before', do: 'status', status: code, ...more });
    await plan(emulator, status(501, { times: 2 }), { on: 'POST', when: 'before', do: 'reset' }, status(502));
    const seen = [await get(emulator), await get(emulator), await get(emulator), await get(emulator)];
    expect(seen.map((reply) => reply.status)).toEqual([501, 501, 502, 200]);
    const left = await call(emulator.url, 'GET', '/_emulator/faults');
    expect(left.json).toEqual([{ on: 'POST', when: 'before', do: 'reset', times: 1 }]);
    await plan(emulator);
    expect((await post(emulator)).status).toBe(201);
  });

  test('one for an invitation leaves the others alone', async () => {
    const emulator = await start();
    const records = [await made(emulator), await made(emulator, OTHER)];
    const fault = { when: 'after', do: 'status', invitation_id: OTHER.toUpperCase() };
    await plan(emulator, { on: 'POST', ...fault }, { on: 'PUT', times: 2, ...fault }, { on: 'GET', ...fault });
    expect((await post(emulator)).status).toBe(201);
    expect((await post(emulator, OTHER)).status).toBe(500);
    const statuses = records.map(async (record) => (await put(emulator, record)).status);
    expect(await Promise.all(statuses)).toEqual([200, 500]);
    // By the record alone: the body names another one.
    expect((await put(emulator, { ...records[1], invitation_id: INVITATION })).status).toBe(500);
    expect((await get(emulator)).status).toBe(200);
  });

  test('a call that is refused anyway uses none up', async () => {
    const emulator = await start();
    await plan(emulator, { on: 'GET', when: 'before', do: 'reset' });
    expect((await get(emulator, { auth: null })).status).toBe(401);
    await expect(get(emulator)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test.each([
    [{}, 'body'],
    [
      [
        { on: 'GET', when: 'before', do: 'hang' },
        { on: 'DELETE', when: 'before', do: 'hang' },
      ],
      '1.on',
    ],
    [[{ on: 'GET', do: 'hang' }], '0.when'],
    [[{ on: 'GET', when: 'before', do: 'explode' }], '0.do'],
    [[{ on: 'GET', when: 'before', do: 'status', status: 99 }], '0.status'],
    [[{ on: 'GET', when: 'before', do: 'slow', ms: '1s' }], '0.ms'],
    [[{ on: 'GET', when: 'before', do: 'hang', times: 0 }], '0.times'],
    [[{ on: 'GET', when: 'before', do: 'hang', invitation_id: 'abc' }], '0.invitation_id'],
    [[{ on: 'GET', when: 'before', do: 'hang', tmies: 2 }], 'tmies'],
  ])('%j is refused, and what was planned stays', async (faults, name) => {
    const emulator = await start();
    await plan(emulator, { on: 'GET', when: 'before', do: 'status' });
    const reply = await call(emulator.url, 'PUT', '/_emulator/faults', faults);
    expect([reply.status, reply.json]).toEqual([400, { error: expect.stringContaining(name) as string }]);
    expect((await get(emulator)).status).toBe(500);
  });
});

describe('options', () => {
  test('they merge, and the answer tells which are in force', async () => {
    const emulator = await start();
    expect((await set(emulator, { lag_ms: 5 })).json).toEqual({ lag_ms: 5, hide_created: false, key: null });
    expect((await set(emulator, { hide_created: true })).json).toEqual({ lag_ms: 5, hide_created: true, key: null });
    const wrong = await set(emulator, { lag: 5 });
    expect([wrong.status, wrong.json]).toEqual([400, { error: expect.stringContaining('lag') as string }]);
    const now = await call(emulator.url, 'GET', '/_emulator/options');
    expect(now.json).toEqual({ lag_ms: 5, hide_created: true, key: null });
  });

  test('lag_ms: a created onboard is listed later', async () => {
    const emulator = await start();
    await set(emulator, { lag_ms: 2_000 });
    const record = await made(emulator);
    expect(await listed(emulator)).toEqual([]);
    await until(async () => (await listed(emulator)).length === 1);
    expect(Date.now() - Date.parse(record.created_at ?? '')).toBeGreaterThanOrEqual(2_000);
  });

  test('hide_created: what was posted is not listed, what others made is', async () => {
    const records = [newRecord(OTHER)];
    const emulator = await start({ records });
    const record = await made(emulator);
    await set(emulator, { hide_created: true });
    expect((await put(emulator, record)).status).toBe(200);
    expect(await listed(emulator)).toEqual(records);
    await set(emulator, { hide_created: false });
    expect(await listed(emulator)).toHaveLength(2);
  });

  test('down_ms: refused at once, open connections cut, then back on the same port', async () => {
    const emulator = await start();
    await plan(emulator, { on: 'GET', when: 'before', do: 'hang' });
    const idle = net.connect(emulator.port, '127.0.0.1');
    await once(idle, 'connect');
    const cut = Promise.all([once(idle, 'close'), expect(get(emulator)).rejects.toMatchObject({ code: 'ECONNRESET' })]);
    await until(async () => (await summary(emulator)).calls.GET === 1);

    const began = performance.now();
    expect((await set(emulator, { down_ms: 2_000 })).json).toMatchObject({ down_ms: 2_000 });
    await expect(post(emulator)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await cut;
    const isUp = () =>
      post(emulator).then(
        () => true,
        () => false,
      );
    await until(isUp);
    expect(performance.now() - began).toBeGreaterThanOrEqual(2_000);
    expect(await effects(emulator)).toMatchObject({ posts: 1, creates: 1 });
  });
});

describe('its end', () => {
  test('close cuts idle, hanging and slow calls within a second, and a call that waited has no effect', async () => {
    const dataDir = folder();
    const emulator = await start({ dataDir });
    await plan(
      emulator,
      { on: 'GET', when: 'before', do: 'hang' },
      { on: 'PUT', when: 'before', do: 'hang', ms: 60_000 },
      { on: 'POST', when: 'before', do: 'slow', ms: 60_000 },
    );
    const idle = net.connect(emulator.port, '127.0.0.1');
    await once(idle, 'connect');
    const cut = Promise.all([
      once(idle, 'close'),
      expect(get(emulator)).rejects.toMatchObject({ code: 'ECONNRESET' }),
      expect(put(emulator, { id: OTHER, invitation_id: OTHER })).rejects.toMatchObject({ code: 'ECONNRESET' }),
      expect(post(emulator)).rejects.toMatchObject({ code: 'ECONNRESET' }),
    ]);
    await until(async () => (await summary(emulator)).max_in_flight === 3);
    await until(async () => (await effects(emulator))?.posts === 1);
    const began = performance.now();
    await emulator.close();
    await cut;
    expect(performance.now() - began).toBeLessThan(10_000);
    await emulator.close();
    expect(await listed(await start({ dataDir }))).toEqual([]);
  });

  test('close while it is down: it does not come back', async () => {
    const emulator = await start();
    await set(emulator, { down_ms: 60_000 });
    await emulator.close();
    await expect(get(emulator)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('a port in use leaves the file alone', async () => {
    const dataDir = folder();
    const { port } = await start({ dataDir });
    appendFileSync(path.join(dataDir, 'emulator.jsonl'), 'an entry that is just being wri');
    await expect(start({ port, dataDir })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(readFileSync(path.join(dataDir, 'emulator.jsonl'), 'utf8')).toBe('an entry that is just being wri');
  });
});

describe('the program', () => {
  /** Runs the source as it is: Node 20 reads no TypeScript by itself. */
  function program(env: Record<string, string>) {
    const cwd = folder();
    const hook = path.join(cwd, 'typescript.cjs');
    const swc = JSON.stringify(require.resolve('@swc/core'));
    const options = "{ jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } }";
    const compile = `module._compile(require(${swc}).transformFileSync(file, ${options}).code, file)`;
    writeFileSync(hook, `require.extensions['.ts'] = (module, file) => ${compile};`);
    const entry = path.resolve(__dirname, '../../src/emulator/serve.ts');
    const child = spawn(process.execPath, ['-r', hook, entry], { cwd, env: { PATH: process.env.PATH, ...env } });
    children.push(child);
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    return { child, lines: createInterface(child.stdout), ended: once(child, 'close'), stderr: () => stderr };
  }

  test.each(['SIGTERM', 'SIGINT'] as const)('says where it is, and %s ends it cleanly', async (signal) => {
    const { child, lines, ended, stderr } = program({ EMULATOR_PORT: '0' });
    const [line] = (await once(lines, 'line')) as [string];
    const url = /^Emulator of LeadConduit on (http:\/\/127\.0\.0\.1:\d+) \(records in \.data\)$/.exec(line)?.[1];
    expect(url).toBeDefined();
    // Nothing that waits may keep it.
    const emulator = { url: url ?? '' };
    await plan(emulator, { on: 'GET', when: 'before', do: 'slow', ms: 60_000 });
    const cut = expect(get(emulator)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await until(async () => (await summary(emulator)).calls.GET === 1);
    child.kill(signal);
    await cut;
    expect([await ended, stderr()]).toEqual([[0, null], '']);
  });

  test('what it answered survives a kill', async () => {
    const dataDir = folder();
    const { child, lines, ended } = program({ EMULATOR_PORT: '0', ONBOARDS_DATA_DIR: dataDir });
    const [line] = (await once(lines, 'line')) as [string];
    const url = /http:\S+/.exec(line)?.[0] ?? '';
    const { json } = await call(url, 'POST', '/onboards', { invitation_id: INVITATION });
    child.kill('SIGKILL');
    await ended;
    expect(await listed(await start({ dataDir }))).toEqual([json]);
  });

  test('a port in use: one line that names it and its setting', async () => {
    const squatter = net.createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as AddressInfo;
    const { ended, stderr } = program({ EMULATOR_PORT: String(port) });
    expect([await ended, stderr()]).toEqual([[2, null], `Port ${port} is in use: set EMULATOR_PORT to a free one\n`]);
    squatter.close();
  });

  test('a wrong setting: its message', async () => {
    const { ended, stderr } = program({ EMULATOR_PORT: 'abc' });
    expect([await ended, stderr()]).toEqual([[2, null], expect.stringMatching(/^Wrong settings:\n {2}EMULATOR_PORT /)]);
  });
});
