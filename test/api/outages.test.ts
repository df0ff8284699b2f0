/** No worker, or no Temporal: what is known is told as such, what was accepted is carried out later, and nothing twice. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OnboardRecord } from '../../src/leadconduit/schema';
import { startTemporal, type TemporalServer } from '../../src/temporal/dev-server';
import { Api } from '../support/api';
import { newId, World } from '../support/world';

let world: World;
let api: Api;
const close = async () => {
  await api.close();
  await world.close();
};

describe('without a worker', () => {
  beforeAll(async () => {
    world = await World.start();
    api = await Api.start(world);
  });
  afterAll(close);

  test('reads give the last known, labelled stale, with the record; what is asked for is done when one runs, once', async () => {
    const record = (await api.create({ invitation_id: world.invitation })).body as OnboardRecord;
    const { invitation_id: id } = record;
    const [later, invitation_id] = [newId(), newId()];
    await world.faults({ on: 'POST', when: 'before', do: 'status', status: 422, invitation_id });
    expect(await api.create({ invitation_id })).toMatchObject({ status: 422 });
    await world.stopWorker();
    const advance = () => api.post(`/onboards/${id}/advance`, { to: 'completed', key: 'k' });
    const [state, beside, list, same, accepted, refused, unanswered] = await Promise.all([
      api.state(record.id),
      api.get(`/onboards/${id}`),
      api.get('/onboards'),
      api.put(`/onboards/${record.id}`, record),
      api.create({ invitation_id: later }, 1),
      api.create({ invitation_id }, 1),
      advance(),
    ]);
    expect(state).toMatchObject({ status: 'created', record, stale: true, actions: [] });
    expect(beside).toMatchObject({ status: 200, body: { ...record, stale: true } });
    expect(list).toMatchObject({ status: 200, body: [record] });
    expect(same).toMatchObject({ status: 200, body: record });
    expect(accepted).toMatchObject({ status: 202, body: { invitation_id: later, record: null, stale: true } });
    expect(accepted.headers.get('location')).toBe(`/onboards/${later}/state`);
    expect(unanswered).toMatchObject({ status: 503, body: { error: expect.stringContaining('No worker') as string } });
    expect(refused).toMatchObject({ status: 503, body: { error: expect.stringContaining('refused') as string } });
    for (const { headers } of [unanswered, refused]) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await world.effects(later)).toMatchObject({ posts: 0 });

    await world.startWorker();
    expect(await api.create({ invitation_id: later })).toMatchObject({ status: 201 });
    expect(await api.create({ invitation_id })).toMatchObject({ status: 422 });
    expect(await advance()).toMatchObject({ status: 200 });
    const { timeline } = await api.until(id, ({ phase }) => phase === 'done');
    expect(timeline.filter(({ event }) => event === 'advance_asked')).toHaveLength(1);
    expect(await world.effects(later)).toMatchObject({ posts: 1, creates: 1 });
    expect(await world.effects(id)).toMatchObject({ posts: 1, puts: 2, completes: 1, emails: 1 });
  });
});

describe('without Temporal', () => {
  const folder = mkdtempSync(join(tmpdir(), 'onboards-outage-'));
  let server: TemporalServer;
  const start = async (port: number) => {
    server = await startTemporal({
      cli: process.env.TEST_TEMPORAL_CLI ?? '',
      env: process.env,
      port,
      logFile: join(folder, 'temporal.log'),
      dbFile: join(folder, 'temporal.db'),
    });
  };
  beforeAll(async () => {
    await start(0);
    world = await World.start({ address: server.address });
    api = await Api.start(world);
  });
  afterAll(async () => {
    await close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('everything but /healthz is 503 with when to come again; when it is back, all goes on and nothing is doubled', async () => {
    const record = (await api.create({ invitation_id: world.invitation })).body as OnboardRecord;
    const { invitation_id: id } = record;
    const port = Number(server.address.split(':')[1]);
    await server.stop();

    const later = newId();
    const answers = await Promise.all([
      api.create({ invitation_id: later }, 1),
      api.create({ invitation_id: id }, 1),
      api.create({ invitation_id: later }, 0),
      api.get('/onboards'),
      api.get(`/onboards/${id}/state`),
      api.put(`/onboards/${record.id}`, { ...record, status: 'completed' }),
      api.post(`/onboards/${id}/advance`, { to: 'completed' }),
      api.post(`/onboards/${id}/note`, { text: 'hello' }),
      api.get('/readyz'),
    ]);
    for (const { status, headers, body, ms } of answers) {
      expect({ status, body }).toEqual({ status: 503, body: { error: expect.stringMatching(/^Temporal/) as string } });
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect(ms).toBeLessThan(20_000);
    }
    expect(await api.get('/healthz')).toMatchObject({ status: 200 });

    await start(port);
    expect(await api.create({ invitation_id: later })).toMatchObject({ status: 201 });
    expect(await api.create({ invitation_id: id })).toMatchObject({ status: 201, body: record });
    expect(await api.get('/readyz')).toMatchObject({ status: 200 });
    expect(await world.effects(later)).toMatchObject({ posts: 1, creates: 1 });
    expect(await world.effects(id)).toMatchObject({ posts: 1, puts: 0 });
  });
});
