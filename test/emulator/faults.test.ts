/** The faults that can be planned: before or after the effect, each does what it says, and no more. */
import type http from 'node:http';
import { newRecord } from '../../src/emulator/ledger';
import type { OnboardRecord } from '../../src/leadconduit/schema';
import {
  call,
  effects,
  get,
  INVITATION,
  listed,
  made,
  OTHER,
  plan,
  post,
  put,
  start,
  summary,
  until,
  type Reply,
} from '../support/emulator-calls';

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
