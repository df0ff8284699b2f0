/** LeadConduit's own calls at our address: the same as there for whoever knows only its reference, and never twice. */
import type { OnboardRecord } from '../../src/leadconduit/schema';
import { Api, eventually, type Answer } from '../support/api';
import { besides } from '../support/besides';
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

const { another, apiOf } = besides();

const mixed = (id: string) => id.replace(/[a-f]/g, (digit) => (Math.random() < 0.5 ? digit.toUpperCase() : digit));
const replayed = ({ headers }: Answer) => headers.get('idempotent-replayed');
const stateAddress = (invitation: string) => `/onboards/${invitation}/state`;
const recordOf = ({ body }: Answer) => body as OnboardRecord;

/** An onboard of its own for a test. */
async function created(request: { flow_id?: string } = {}): Promise<OnboardRecord> {
  const answer = await api.create({ invitation_id: newId(), ...request });
  expect(answer).toMatchObject({ status: 201, body: { status: 'created' } });
  return recordOf(answer);
}

describe('POST /onboards', () => {
  test('ten times at once, in mixed case: one onboard, ten times 201 with its record, nine of them replayed', async () => {
    const id = newId();
    const answers = await Promise.all(Array.from({ length: 10 }, () => api.create({ invitation_id: mixed(id) })));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(201));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body)))).toHaveProperty('size', 1);
    expect(answers.filter((answer) => replayed(answer) === null)).toHaveLength(1);
    expect(await world.effects(id)).toEqual({ posts: 1, creates: 1, puts: 0, completes: 0, emails: 0 });
  });

  test('start and wait is one call to Temporal', async () => {
    const service = world.temporal.workflowService as unknown as Record<string, () => unknown>;
    const spies = Object.keys(service).map((name) => [name, jest.spyOn(service, name)] as const);
    await created();
    const calls = spies.flatMap(([name, spy]) => spy.mock.calls.map(() => name));
    jest.restoreAllMocks();
    expect(calls).toEqual(['executeMultiOperation']);
  });

  test('repeated later it is the record as it is by then, replayed; fields of none are null or left out', async () => {
    const { id, invitation_id } = await created();
    await api.post(`/onboards/${invitation_id}/advance`, { to: 'in_progress' });
    await api.until(invitation_id, ({ status }) => status === 'in_progress');
    const again = await api.create({ invitation_id, flow_id: null, label: null } as never);
    expect(again).toMatchObject({ status: 201, body: { id, status: 'in_progress' } });
    expect(replayed(again)).toBe('true');
    expect(await world.effects(invitation_id)).toMatchObject({ posts: 1, puts: 1 });
  });

  test('the same flow in either case is no conflict, another one is: 409, and nothing is sent', async () => {
    const flow_id = newId();
    const { invitation_id } = await created({ flow_id });
    expect(await api.create({ invitation_id, flow_id: flow_id.toUpperCase() })).toMatchObject({ status: 201 });
    expect(await api.create({ invitation_id, flow_id: newId() })).toMatchObject({
      status: 409,
      body: { error: expect.stringContaining(`is for flow ${flow_id}`) as string },
    });
    expect(await world.effects(invitation_id)).toMatchObject({ posts: 1, puts: 0 });
  });

  test.each([400, 404, 409, 422])(
    'refused by LeadConduit with %i: that status, its words, and where it stands',
    async (status) => {
      const id = newId();
      await world.faults({ on: 'POST', when: 'before', do: 'status', status, invitation_id: id });
      const answer = await api.create({ invitation_id: id });
      expect(answer).toMatchObject({ status, body: { error: 'a fault of the emulator' } });
      expect(answer.headers.get('location')).toBe(stateAddress(id));
      expect(await api.state(id)).toMatchObject({ attention: { code: 'refused' } });
      expect(await world.effects(id)).toMatchObject({ posts: 1, creates: 0 });
    },
  );

  test('LeadConduit refuses our key: 502, which is not the caller’s; when the key works it goes on by itself', async () => {
    const id = newId();
    await world.faults({ on: 'POST', when: 'before', do: 'status', status: 401, invitation_id: id });
    const answer = await api.create({ invitation_id: id });
    expect(answer).toMatchObject({ status: 502, body: { error: expect.stringContaining('our key') as string } });
    expect(answer.headers.get('location')).toBe(stateAddress(id));
    await api.until(id, ({ record }) => record !== null);
    expect(await world.effects(id)).toMatchObject({ creates: 1 });
  });

  test('not there after the wait: 202 with where to look, when, and how it stands; later it is there', async () => {
    const id = newId();
    await world.faults({ on: 'POST', when: 'before', do: 'status', status: 429, retry_after: 6, invitation_id: id });
    const answer = await api.create({ invitation_id: id }, 1);
    expect(answer).toMatchObject({ status: 202, body: { invitation_id: id, phase: 'creating', record: null } });
    expect(answer.headers.get('location')).toBe(stateAddress(id));
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(answer.ms).toBeLessThan(5_000);
    expect(await api.create({ invitation_id: id })).toMatchObject({ status: 201, body: { invitation_id: id } });
    expect(await world.effects(id)).toMatchObject({ creates: 1 });
  });

  test('wait=0 does not wait, and the onboard is made all the same', async () => {
    const id = newId();
    await world.faults({ on: 'POST', when: 'before', do: 'status', status: 429, retry_after: 1, invitation_id: id });
    expect(await api.create({ invitation_id: id }, 0)).toMatchObject({ status: 202, body: { record: null } });
    await api.until(id, ({ record }) => record !== null);
    expect(await world.effects(id)).toMatchObject({ creates: 1 });
  });

  test('needing a person otherwise: 409 with where it stands', async () => {
    const id = newId();
    await world.elsewhere({ invitation_id: id });
    await world.elsewhere({ invitation_id: id });
    const answer = await api.create({ invitation_id: id });
    expect(answer).toMatchObject({ status: 409, body: { error: expect.stringContaining('duplicate') as string } });
    expect(answer.headers.get('location')).toBe(stateAddress(id));
  });

  test('one that was made elsewhere is adopted', async () => {
    const id = newId();
    const record = await world.elsewhere({ invitation_id: id });
    expect(await api.create({ invitation_id: id })).toMatchObject({ status: 201, body: record });
    expect(await world.effects(id)).toMatchObject({ posts: 1 });
  });

  test('one that is cancelled before it is there: 409, and followed again when it is asked for again', async () => {
    const id = newId();
    await world.faults({ on: 'POST', when: 'before', do: 'status', status: 429, retry_after: 60, invitation_id: id });
    const waiting = api.create({ invitation_id: id });
    await eventually(async () => (await world.effects(id)).posts > 0);
    expect(await api.post(`/onboards/${id}/cancel`, {})).toMatchObject({ status: 200 });
    const answer = await waiting;
    expect(answer).toMatchObject({ status: 409, body: { error: expect.stringContaining('cancelled') as string } });
    expect(answer.headers.get('location')).toBe(stateAddress(id));
    const again = await api.create({ invitation_id: id });
    expect([again.status, replayed(again)]).toEqual([201, null]);
    expect(await world.effects(id)).toMatchObject({ creates: 1 });
  });

  test('one that is asked for again after its cancel was accepted, and before it has ended, is followed again', async () => {
    const id = newId();
    await world.faults({ on: 'POST', when: 'after', do: 'slow', ms: 2_000, invitation_id: id });
    const first = api.create({ invitation_id: id });
    await eventually(async () => (await world.effects(id)).posts > 0);
    await api.post(`/onboards/${id}/cancel`, {});
    expect(await api.create({ invitation_id: id })).toMatchObject({ status: 201 });
    await first;
    await api.until(id, ({ phase }) => phase === 'waiting');
    expect(await world.effects(id)).toMatchObject({ creates: 1 });
  });

  test('one that was cancelled is followed again: the onboard that is there is adopted', async () => {
    const { id, invitation_id } = await created();
    await api.post(`/onboards/${invitation_id}/cancel`, {});
    await api.until(invitation_id, ({ phase }) => phase === 'cancelled');
    const again = await api.create({ invitation_id });
    expect(again).toMatchObject({ status: 201, body: { id, invitation_id } });
    expect(replayed(again)).toBe('true');
    expect(await api.state(invitation_id)).toMatchObject({
      phase: 'waiting',
      ledger: [{ effect: 'create', outcome: 'adopted' }],
    });
    expect(await world.effects(invitation_id)).toMatchObject({ posts: 1, creates: 1 });
  });
});

describe('PUT /onboards/{id}', () => {
  const put = (record: OnboardRecord, change: Partial<OnboardRecord>, path = record.id, wait = 30) =>
    api.put(`/onboards/${path}`, { ...record, ...change }, { headers: { prefer: `wait=${wait}` } });

  test('moves it on, completes it, and repeats nothing', async () => {
    const record = await created();
    const flow_id = newId();
    const moved = await put(record, { status: 'in_progress', flow_id });
    expect(moved).toMatchObject({
      status: 200,
      body: { ...record, status: 'in_progress', flow_id, updated_at: expect.any(String) as string },
    });
    for (let n = 0; n < 2; n += 1)
      expect(await put(recordOf(moved), { status: 'completed' })).toMatchObject({
        status: 200,
        body: { id: record.id, status: 'completed', flow_id },
      });
    expect(await world.effects(record.invitation_id)).toEqual({
      posts: 1,
      creates: 1,
      puts: 2,
      completes: 1,
      emails: 1,
    });
    expect(
      (await api.state(record.invitation_id)).timeline.filter(({ by }) => by === 'shop').map(({ event }) => event),
    ).toEqual(['started', 'advance_asked', 'flow_set', 'advance_asked']);
  });

  test('cancelled while it waits: 409, and where it stands', async () => {
    const record = await created();
    const { invitation_id } = record;
    await world.faults({ on: 'PUT', when: 'before', do: 'status', status: 429, retry_after: 60, invitation_id });
    const waiting = put(record, { status: 'in_progress' });
    await eventually(async () => (await world.effects(invitation_id)).puts > 0);
    await api.post(`/onboards/${invitation_id}/cancel`, {});
    const answer = await waiting;
    expect(answer).toMatchObject({ status: 409, body: { error: expect.stringContaining('cancelled') as string } });
    expect(answer.headers.get('location')).toBe(stateAddress(invitation_id));
  });

  test('the status that it has, or none: 200 with the record, and nothing is sent', async () => {
    const record = await created();
    expect(await put(record, {})).toMatchObject({ status: 200, body: record });
    expect(
      await put(record, { status: null, account_id: null, connection_id: null }, record.id.toUpperCase()),
    ).toMatchObject({ status: 200, body: record });
    expect(await world.effects(record.invitation_id)).toMatchObject({ puts: 0 });
  });

  test('what this onboard cannot become is refused in words, and nothing is sent', async () => {
    const record = await created({ flow_id: newId() });
    await put(record, { status: 'in_progress' });
    const refused: [Partial<OnboardRecord>, number, RegExp][] = [
      [{ status: 'created' }, 409, /^status: .* in_progress, and never goes back/],
      [{ status: 'completed', account_id: newId() }, 409, /^account_id: /],
      [{ status: 'completed', connection_id: newId() }, 409, /^connection_id: /],
      [{ status: 'completed', flow_id: newId() }, 409, /flow/],
      [{ status: 'in_progress', flow_id: newId() }, 409, /flow/],
      [{ status: 'finished' }, 400, /^status: must be /],
    ];
    for (const [change, status, words] of refused)
      expect(await put(record, { status: 'in_progress', ...change })).toMatchObject({
        status,
        body: { error: expect.stringMatching(words) as string },
      });
    expect(await world.effects(record.invitation_id)).toMatchObject({ puts: 1 });
  });

  test('another id in the path, or an invitation that is not known: 404', async () => {
    const record = await created();
    const answers = await Promise.all([
      put(record, { status: 'completed' }, newId()),
      put(record, { status: 'completed' }, record.invitation_id),
      put({ ...record, invitation_id: newId() }, { status: 'completed' }),
      put({ ...record, invitation_id: record.id }, { status: 'completed' }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    expect(await world.effects(record.invitation_id)).toMatchObject({ puts: 0 });
  });

  test('with an Idempotency-Key it asks once', async () => {
    const record = await created();
    const body = { ...record, status: 'in_progress' };
    const headers = { 'idempotency-key': newId() };
    const answers = await Promise.all([1, 2, 3].map(() => api.put(`/onboards/${record.id}`, body, { headers })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const { timeline } = await api.state(record.invitation_id);
    expect(timeline.filter(({ event }) => event === 'advance_asked')).toHaveLength(1);
  });

  test('refused by LeadConduit: that status and its words', async () => {
    const record = await created();
    const { invitation_id } = record;
    await world.faults({ on: 'PUT', when: 'before', do: 'status', status: 422, invitation_id });
    const answer = await put(record, { status: 'in_progress' });
    expect(answer).toMatchObject({ status: 422, body: { error: 'a fault of the emulator' } });
    expect(answer.headers.get('location')).toBe(stateAddress(invitation_id));
  });

  test('not done after the wait: 202 with how it stands; repeated, it is done once', async () => {
    const record = await created();
    const { invitation_id } = record;
    await world.faults({ on: 'PUT', when: 'before', do: 'status', status: 429, retry_after: 2, invitation_id });
    const answer = await put(record, { status: 'completed' }, record.id, 1);
    expect(answer).toMatchObject({ status: 202, body: { invitation_id, phase: 'updating' } });
    expect([answer.headers.get('location'), answer.headers.get('retry-after')]).toEqual([
      stateAddress(invitation_id),
      '5',
    ]);
    expect(await put(record, { status: 'completed' })).toMatchObject({ status: 200, body: { status: 'completed' } });
    expect(await world.effects(invitation_id)).toMatchObject({ completes: 1, emails: 1 });
  });

  test('where LeadConduit’s completing word is another one, that is the word', async () => {
    const other = await another({ settings: { LEADCONDUIT_COMPLETED_STATUS: 'completed_flows_sync' } });
    const otherApi = await apiOf(other);
    const record = recordOf(await otherApi.create({ invitation_id: other.invitation }));
    for (let n = 0; n < 2; n += 1)
      expect(await otherApi.put(`/onboards/${record.id}`, { ...record, status: 'completed_flows_sync' })).toMatchObject(
        {
          status: 200,
          body: { status: 'completed_flows_sync' },
        },
      );
    expect(await other.effects()).toMatchObject({ completes: 1, emails: 1 });
  });
});
