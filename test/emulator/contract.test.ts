/** The emulator keeps the documented contract of LeadConduit: the same answers, refusals and effects. */
import { newRecord } from '../../src/emulator/ledger';
import {
  call,
  effects,
  FLOW,
  get,
  HEX,
  INVITATION,
  listed,
  made,
  OTHER,
  post,
  put,
  recordOf,
  set,
  start,
  summary,
  type Extra,
} from '../support/emulator-calls';

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
