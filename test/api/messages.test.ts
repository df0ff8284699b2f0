/** What our API has beyond LeadConduit's: where an onboard stands, what people tell it, and who may. */
import type { OnboardView } from '../../src/onboard/view';
import { OnboardHandle } from '../../src/client/handle';
import type { OnboardRecord } from '../../src/leadconduit/schema';
import { Api, KEY, type Answer } from '../support/api';
import { newId, World } from '../support/world';

const READER = 'key-of-the-reader';

let world: World;
let api: Api;
beforeAll(async () => {
  world = await World.start();
  api = await Api.start(world, [
    { name: 'shop', role: 'operate', secret: KEY },
    { name: 'reader', role: 'read', secret: READER },
  ]);
});
afterAll(async () => {
  await api.close();
  await world.close();
});

async function created(): Promise<OnboardRecord> {
  return (await api.create({ invitation_id: newId() })).body as OnboardRecord;
}
const send = (id: string, name: string, body: unknown = {}, headers = {}): Promise<Answer> =>
  api.post(`/onboards/${id}/${name}`, body, { headers });
const lines = async (id: string) =>
  (await api.state(id)).timeline.map(({ event, by, reason, detail }) => ({ event, by, reason, detail }));

describe('where an onboard stands', () => {
  test('by its invitation or by its own id, in either case; the record’s fields beside the state where no /state asks for it alone', async () => {
    const record = await created();
    const ids = [record.invitation_id, record.id].flatMap((id) => [id, id.toUpperCase()]);
    const states = await Promise.all(ids.map((id) => api.get(`/onboards/${id}/state`)));
    const both = await Promise.all(ids.map((id) => api.get(`/onboards/${id}`)));
    for (const { status, body } of states) {
      expect(status).toBe(200);
      expect(body).toEqual({ ...(states[0]!.body as object), as_of: expect.any(String) as string });
    }
    for (const { status, body } of both) {
      expect(status).toBe(200);
      expect(body).toEqual({ ...record, ...(states[0]!.body as object), as_of: expect.any(String) as string });
    }
    expect(states[0]!.body).toMatchObject({
      invitation_id: record.invitation_id,
      status: 'created',
      phase: 'waiting',
      held: false,
      record,
      actions: ['advance in_progress', 'advance completed', 'hold', 'cancel', 'note'],
      ledger: [{ n: expect.any(Number) as number, effect: 'create', outcome: 'done' }],
      stale: false,
    });
  });

  test('of an id that is not known: 404, and no message gets through to anything', async () => {
    const id = newId();
    const answers = await Promise.all([
      api.get(`/onboards/${id}`),
      api.get(`/onboards/${id}/state`),
      send(id, 'advance', { to: 'completed' }),
      send(id, 'note', { text: 'hello' }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    expect(answers[0].body).toEqual({ error: expect.stringContaining(id) as string });
  });
});

describe('messages', () => {
  test('all six are carried out, each with who asked: the key’s name, after the one that the body names', async () => {
    const { invitation_id: id, id: onboard } = await created();
    expect(await send(id, 'note', { text: 'called the buyer', by: 'ann' })).toMatchObject({ status: 200 });
    expect(await send(id, 'hold', { by: 'ann', reason: 'no contract' })).toMatchObject({
      status: 200,
      body: { held: true, phase: 'held' },
    });
    expect(await send(onboard, 'release')).toMatchObject({ status: 200, body: { held: false } });
    expect(await send(onboard.toUpperCase(), 'advance', { to: 'in_progress', by: 'bob' })).toMatchObject({
      status: 200,
    });
    await api.until(id, ({ status }) => status === 'in_progress');
    expect(await send(id, 'cancel', { reason: 'gone' })).toMatchObject({ status: 200 });
    await api.until(id, ({ phase }) => phase === 'cancelled');
    expect(
      (await lines(id)).filter(({ event }) => event !== 'moved' && event !== 'created' && event !== 'cancelled'),
    ).toEqual([
      { event: 'started', by: 'shop' },
      { event: 'note', by: 'ann (via shop)', detail: 'called the buyer' },
      { event: 'held', by: 'ann (via shop)', reason: 'no contract' },
      { event: 'released', by: 'shop' },
      { event: 'advance_asked', by: 'bob (via shop)', detail: 'in_progress' },
      { event: 'cancel_asked', by: 'shop', reason: 'gone' },
    ]);
    expect(await world.effects(id)).toMatchObject({ posts: 1, puts: 1, completes: 0 });
  });

  test('resolve answers the attention that is open, and no other', async () => {
    const id = newId();
    await world.faults({ on: 'POST', when: 'before', do: 'status', status: 422, invitation_id: id });
    await api.create({ invitation_id: id });
    const { attention, actions } = await api.state(id);
    expect(actions).toContain('resolve retry');
    expect(await send(id, 'resolve', { action: 'retry', attention: 'a99' })).toMatchObject({
      status: 409,
      body: { error: expect.stringContaining('stale') as string },
    });
    expect(await send(id, 'resolve', { action: 'retry', attention: attention!.id })).toMatchObject({ status: 200 });
    expect(await api.create({ invitation_id: id })).toMatchObject({ status: 201 });
    expect(await lines(id)).toContainEqual({ event: 'resolved', by: 'shop', detail: 'refused: retry' });
    expect(await world.effects(id)).toMatchObject({ posts: 2, creates: 1 });
  });

  test('resolve that names no attention answers the one that was open then, and not the one that opened since', async () => {
    const id = newId();
    const refused = { on: 'POST', when: 'before', do: 'status', status: 422, invitation_id: id } as const;
    await world.faults({ ...refused, times: 2 });
    await api.create({ invitation_id: id });
    const first = (await api.state(id)).attention!;
    // Answered by somebody else after it was looked up.
    const { onboards } = world;
    const { state } = OnboardHandle.prototype as { state: (this: OnboardHandle) => Promise<OnboardView> };
    const spy = jest.spyOn(OnboardHandle.prototype, 'state').mockImplementationOnce(async function (
      this: OnboardHandle,
    ) {
      const before = await state.call(this);
      await onboards.get(id).send({ name: 'resolve', action: 'retry', attention: first.id });
      await api.until(id, ({ attention }) => attention !== undefined && attention.id !== first.id);
      return before;
    });
    expect(await send(id, 'resolve', { action: 'retry' })).toMatchObject({
      status: 409,
      body: { error: expect.stringContaining('stale') as string },
    });
    spy.mockRestore();
    expect(await send(id, 'resolve', { action: 'retry' })).toMatchObject({ status: 200 });
    await api.until(id, ({ record }) => record !== null);
    expect(await world.effects(id)).toMatchObject({ posts: 3, creates: 1 });
  });

  test('with the same Idempotency-Key, or the same key in the body, it acts once and succeeds each time', async () => {
    const { invitation_id: id } = await created();
    const headers = { 'idempotency-key': newId() };
    expect(await send(id, 'hold', {}, headers)).toMatchObject({ status: 200, body: { held: true } });
    expect(await send(id, 'release')).toMatchObject({ status: 200, body: { held: false } });
    expect(await send(id, 'hold', {}, headers)).toMatchObject({ status: 200, body: { held: false } });
    expect(await send(id, 'hold', { key: headers['idempotency-key'] })).toMatchObject({
      status: 200,
      body: { held: false },
    });
    expect(await send(id, 'cancel', {}, headers)).toMatchObject({ status: 409 });
    const noteKey = { 'idempotency-key': newId() };
    for (let n = 0; n < 3; n += 1) await send(id, 'note', { text: 'only once' }, noteKey);
    expect((await lines(id)).filter(({ detail }) => detail === 'only once')).toHaveLength(1);
    expect((await lines(id)).filter(({ event }) => event === 'message_refused')).toHaveLength(0);
  });

  test.each<[string, string, object, object]>([
    ['another flow', 'advance', { to: 'in_progress', flow_id: newId() }, { to: 'in_progress', flow_id: newId() }],
    ['another target', 'advance', { to: 'in_progress' }, { to: 'completed' }],
    ['another reason', 'hold', { reason: 'one' }, { reason: 'two' }],
    ['another text', 'note', { text: 'one' }, { text: 'two' }],
  ])('with the same key and %s is refused with 409, and changes nothing', async (_, name, first, second) => {
    const { invitation_id: id } = await created();
    const headers = { 'idempotency-key': newId() };
    expect(await send(id, name, first, headers)).toMatchObject({ status: 200 });
    const settled = await api.until(id, ({ phase }) => phase === 'waiting' || phase === 'held');
    expect(await send(id, name, second, headers)).toMatchObject({
      status: 409,
      body: { error: expect.stringMatching(/its key was used before, for /) as string },
    });
    const { requested_flow_id, status } = await api.until(id, () => true);
    expect({ requested_flow_id, status }).toEqual({
      requested_flow_id: settled.requested_flow_id,
      status: settled.status,
    });
    expect(await send(id, name, first, headers)).toMatchObject({ status: 200 });
  });

  test('a transition that does not fit is refused with 409 and its reason, and nothing is changed', async () => {
    const { invitation_id: id } = await created();
    const before = await lines(id);
    const refused: [string, unknown, RegExp][] = [
      ['release', {}, /^release refused: it is not held/],
      ['resolve', { action: 'retry' }, /^resolve refused: it needs no attention/],
    ];
    for (const [name, body, words] of refused)
      expect(await send(id, name, body)).toMatchObject({
        status: 409,
        body: { error: expect.stringMatching(words) as string },
      });
    expect(await lines(id)).toEqual(before);

    await send(id, 'advance', { to: 'completed' });
    await api.until(id, ({ phase }) => phase === 'done');
    for (const [name, body] of [
      ['hold', {}],
      ['note', { text: 'late' }],
      ['cancel', {}],
    ] as const)
      expect(await send(id, name, body)).toMatchObject({ status: 409 });
    // What is reached already succeeds, however late.
    expect(await send(id, 'advance', { to: 'in_progress' })).toMatchObject({ status: 200, body: { phase: 'done' } });
    expect(await world.effects(id)).toMatchObject({ puts: 2, completes: 1, emails: 1 });
  });

  test('asked for again and again while it is completing, it is there or on its way each time, and once', async () => {
    const records = await Promise.all(Array.from({ length: 6 }, created));
    const statuses = await Promise.all(
      records.map(async ({ invitation_id: id }) => {
        let done = false;
        const ask = async () => {
          const seen: number[] = [];
          while (!done) {
            const { status, body } = await send(id, 'advance', { to: 'completed' });
            done ||= (body as { phase?: string }).phase === 'done';
            seen.push(status);
          }
          return seen;
        };
        return Promise.all([ask(), ask(), ask()]);
      }),
    );
    expect(new Set(statuses.flat(2))).toEqual(new Set([200]));
    for (const { invitation_id } of records)
      expect(await world.effects(invitation_id)).toMatchObject({ puts: 2, completes: 1, emails: 1 });
  });

  test.each<[string, string, unknown]>([
    ['advance', 'nowhere', {}],
    ['advance', 'back to created', { to: 'created' }],
    ['advance', 'to a flow that is no id', { to: 'completed', flow_id: 'nonsense' }],
    ['advance', 'with a field that there is not', { to: 'completed', flow: newId() }],
    ['resolve', 'in a way that there is not', { action: 'repeat' }],
    ['hold', 'by a number', { by: 7 }],
    ['hold', 'for a blank reason', { reason: ' ' }],
    ['note', 'without a text', {}],
    ['note', 'that is too long', { text: 'x'.repeat(2_001) }],
    ['note', 'with a reason', { text: 'x', reason: 'a note has none' }],
  ])('%s %s is not well formed: 400, and it never reaches the onboard', async (name, _, body) => {
    const { invitation_id: id } = await created();
    const before = await lines(id);
    expect(await send(id, name, body)).toMatchObject({ status: 400, body: { error: expect.any(String) as string } });
    expect(await lines(id)).toEqual(before);
  });
});

describe('who may', () => {
  test('a key of the role read sees everything and changes nothing: 403', async () => {
    const record = await created();
    const { invitation_id: id } = record;
    const key = READER;
    for (const path of ['/onboards', `/onboards/${id}`, `/onboards/${id}/state`])
      expect(await api.get(path, { key })).toMatchObject({ status: 200 });
    const other = newId();
    const answers = await Promise.all([
      api.post('/onboards', { invitation_id: other }, { key }),
      api.put(`/onboards/${record.id}`, { ...record, status: 'completed' }, { key }),
      ...['advance', 'resolve', 'hold', 'release', 'cancel', 'note'].map((name) =>
        api.post(`/onboards/${id}/${name}`, {}, { key }),
      ),
    ]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([403]));
    expect(answers[0].body).toEqual({ error: 'The key reader has the role read, which may change nothing' });
    expect(await world.effects(other)).toMatchObject({ posts: 0 });
    expect(await world.effects(id)).toMatchObject({ puts: 0 });
    expect((await api.state(id)).timeline.map(({ event }) => event)).toEqual(['started', 'created']);
  });

  test.each<[string, string | null]>([
    ['no key', null],
    ['a key that is not known', 'guessed'],
    ['a key’s beginning', KEY.slice(0, -1)],
    ['an empty key', ''],
  ])('%s: 401, asked for as HTTP Basic, whatever is asked', async (_, key) => {
    const answers = await Promise.all([
      api.get('/onboards', { key }),
      api.get(`/onboards/${newId()}`, { key }),
      api.post('/onboards', { invitation_id: newId() }, { key }),
      api.put(`/onboards/${newId()}`, {}, { key }),
      api.post(`/onboards/${newId()}/cancel`, {}, { key }),
    ]);
    for (const { status, headers, body } of answers) {
      expect(status).toBe(401);
      expect(headers.get('www-authenticate')).toMatch(/^Basic realm="[^"]+"/);
      expect(body).toEqual({ error: expect.any(String) as string });
    }
  });

  test('the user’s name is nobody’s business, as at LeadConduit', async () => {
    for (const user of ['API', '', 'anybody'])
      expect(
        await api.get('/onboards', { key: null, headers: { authorization: `Basic ${btoa(`${user}:${KEY}`)}` } }),
      ).toMatchObject({ status: 200 });
  });
});
