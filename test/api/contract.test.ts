/** What a client may build on: LeadConduit's reference, the list to its end, and the document that the API serves. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Ajv from 'ajv/dist/2020';
import type { OnboardRecord } from '../../src/leadconduit/schema';
import { Api, KEY, type Answer } from '../support/api';
import { besides } from '../support/besides';
import { ReferenceClient, type Onboard, type Reply } from '../support/reference-client';
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

/** Temporal's lists lag behind what was answered: by nothing mostly, by less than a second for sure. */
const MOST_LOOKS = 50;

const recordOf = ({ body }: Answer) => body as OnboardRecord;

describe('a client written from the reference alone', () => {
  const INVITATION = newId();
  const FLOW = newId();

  /** The story that the reference tells. */
  async function story(client: ReferenceClient): Promise<Reply<unknown>[]> {
    const created = await client.createOnboard({ invitation_id: INVITATION });
    const list = await listed(client, created.body.id);
    const moved = await client.updateOnboard({ ...list.body[0]!, flow_id: FLOW, status: 'in_progress' });
    const completed = await client.updateOnboard({ ...moved.body, status: 'completed' });
    return [created, list, moved, completed];
  }

  /** The list with this one onboard of it, once it is there: the reference does not say that it is at once. */
  async function listed(client: ReferenceClient, id: string): Promise<Reply<Onboard[]>> {
    for (let tries = 1; ; tries += 1) {
      const list = await client.listOnboards();
      const mine = list.body.filter((onboard) => onboard.id === id);
      if (mine.length > 0 || tries === MOST_LOOKS) return { ...list, body: mine };
      await sleep(20);
    }
  }

  const KINDS: [string, RegExp][] = [
    ['24 hex', /^[0-9a-f]{24}$/],
    ['RFC 3339', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/],
  ];
  /** Names and types stay; the ids and times that differ from one account to the next do not. */
  const shape = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shape);
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, shape(field)]));
    if (value === INVITATION || value === FLOW || typeof value !== 'string') return value;
    return KINDS.find(([, pattern]) => pattern.test(value))?.[0] ?? value;
  };
  const seen = (replies: Reply<unknown>[]) =>
    replies.map(({ status, type, body }) => ({ status, type, body: shape(body) }));

  test('sees the same names, types and statuses at our address as at LeadConduit’s', async () => {
    const theirs = await another({ presence: false });
    const upstream = seen(await story(new ReferenceClient(theirs.emulator.url, 'test-key')));
    const ours = seen(await story(new ReferenceClient(api.url, KEY)));
    expect(ours).toEqual(upstream);
    expect(ours.map(({ status }) => status)).toEqual([201, 200, 200, 200]);
    expect(await world.effects(INVITATION)).toEqual({ posts: 1, creates: 1, puts: 2, completes: 1, emails: 1 });
  });

  test('that repeats every call gets the same answers, and nothing is doubled; at LeadConduit it is', async () => {
    const again = newId();
    const twice = async (client: ReferenceClient) => {
      const [first, second] = [
        await client.createOnboard({ invitation_id: again }),
        await client.createOnboard({ invitation_id: again }),
      ];
      const done = { ...first.body, status: 'completed' };
      return {
        isSame: first.body.id === second.body.id,
        puts: [await put(client, done), await put(client, done)],
      };
    };
    const put = async (client: ReferenceClient, onboard: Onboard) => (await client.updateOnboard(onboard)).status;

    expect(await twice(new ReferenceClient(api.url, KEY))).toEqual({ isSame: true, puts: [200, 200] });
    expect(await world.effects(again)).toEqual({ posts: 1, creates: 1, puts: 2, completes: 1, emails: 1 });

    const theirs = await another({ presence: false });
    expect(await twice(new ReferenceClient(theirs.emulator.url, 'test-key'))).toMatchObject({ isSame: false });
    expect(await theirs.effects(again)).toMatchObject({ creates: 2, emails: 2 });
  });
});

describe('GET /onboards', () => {
  test('is all records, oldest first; in pages to the end where `limit` asks for it', async () => {
    const list = await apiOf(await another());
    expect(await list.get('/onboards')).toMatchObject({ status: 200, body: [] });
    const records: OnboardRecord[] = [];
    for (let n = 0; n < 5; n += 1) records.push(recordOf(await list.create({ invitation_id: newId() })));
    let all = await list.get('/onboards');
    for (let tries = 1; tries < MOST_LOOKS && (all.body as unknown[]).length < 5; tries += 1) {
      await sleep(20);
      all = await list.get('/onboards');
    }
    expect([all.body, all.headers.get('link')]).toEqual([records, null]);
    const pages: unknown[] = [];
    for (let next: string | undefined = '/onboards?limit=2'; next !== undefined;) {
      const page: Answer = await list.get(next);
      pages.push(page.body);
      next = /^<([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
    }
    expect(pages).toEqual([records.slice(0, 2), records.slice(2, 4), records.slice(4)]);
    const exact = await list.get(`/onboards?limit=5`);
    expect([exact.body, exact.headers.get('link')]).toEqual([records, null]);
    const rest = await list.get(`/onboards?after=${records[3]!.id.toUpperCase()}`);
    expect(rest.body).toEqual(records.slice(4));
    expect(await list.get(`/onboards?after=${newId()}`)).toMatchObject({ status: 404 });
  });
});

describe('without a key', () => {
  test.each(['/healthz', '/readyz', '/openapi.json'])('%s is there', async (path) => {
    expect(await api.get(path, { key: null })).toMatchObject({ status: 200, body: expect.any(Object) as object });
  });

  test('the document has the state without a record, too, as it is told to who does not wait', async () => {
    const { body: document } = await api.get('/openapi.json', { key: null });
    const isState = new Ajv({ strict: false }).addSchema(document as object, 'document').compile({
      $ref: 'document#/components/schemas/State',
    });
    const id = newId();
    await world.faults({ on: 'POST', when: 'before', do: 'status', status: 429, retry_after: 1, invitation_id: id });
    const { body } = await api.create({ invitation_id: id }, 0);
    expect(body).toMatchObject({ record: null });
    expect([isState(body), isState.errors]).toEqual([true, null]);
    expect(isState({ ...(body as object), phase: 'elsewhere' })).toBe(false);
  });

  test('the document names every call that is served, and no other', async () => {
    const { body } = await api.get('/openapi.json', { key: null });
    const { openapi, paths } = body as { openapi: string; paths: Record<string, object> };
    const calls = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(openapi).toMatch(/^3\.1/);
    expect(calls.sort()).toEqual(
      [
        'get /onboards',
        'get /onboards/{id}',
        'get /onboards/{id}/state',
        ...['advance', 'cancel', 'hold', 'look', 'note', 'release', 'resolve'].map(
          (name) => `post /onboards/{id}/${name}`,
        ),
        'post /onboards',
        'put /onboards/{id}',
      ].sort(),
    );
  });

  type Document = { paths: Record<string, Record<string, { security?: object[] }>> };
  const served = async () => (await api.get('/openapi.json', { key: null })).body as Document;

  test('every call of the document is for those with a key, unless it says itself that it needs none', async () => {
    const { paths } = await served();
    const calls = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { security }]) => ({ path, method, isOpen: security?.length === 0 })),
    );
    expect(calls.length).toBeGreaterThan(10);
    for (const { path, method, isOpen } of calls.filter((call) => !call.isOpen)) {
      const { status } = await api.call(method.toUpperCase(), path.replace('{id}', newId()), { key: null });
      expect([method, path, isOpen, status]).toEqual([method, path, false, 401]);
    }
  });

  test('the document is the one in docs/, so that a change of the API shows in a diff', async () => {
    const file = join(__dirname, '..', '..', 'docs', 'openapi.json');
    const document = JSON.stringify(await served(), null, 2);
    // `npm run record-api`
    if (process.env.RECORD_API !== undefined) writeFileSync(file, `${document}\n`);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(document));
  });
});
