/** One client, however greedy, leaves room for the others; who hangs up leaves at once. */
import { once } from 'node:events';
import http from 'node:http';
import { Places } from '../../src/http/load';
import { Api, eventually, KEY } from '../support/api';
import { newId, World } from '../support/world';

const GREEDY = { name: 'greedy', role: 'read' as const, secret: 'key-of-the-greedy' };
const HASTY = { name: 'hasty', role: 'operate' as const, secret: 'key-of-the-hasty' };
const SHOP = { name: 'shop', role: 'operate' as const, secret: KEY };
const MOST = 8;

let world: World;
let api: Api;
beforeAll(async () => {
  world = await World.start({ policy: { backoff_ms: 50 } });
});
afterAll(() => world.close());
beforeEach(async () => {
  api = await Api.start(world, [GREEDY, HASTY, SHOP], MOST);
});
afterEach(async () => {
  await world.mend();
  await api.close();
});

test('places: one alone gets half, two a third each, and the next always one; given back twice is given back once', () => {
  const places = new Places(12);
  const takeAll = (who: string) => {
    const taken: (() => void)[] = [];
    for (let leave = places.take(who); leave; leave = places.take(who)) taken.push(leave);
    return taken;
  };
  const one = takeAll('one');
  expect(one).toHaveLength(6);
  const two = takeAll('two');
  expect(two).toHaveLength(3);
  expect(takeAll('three').length).toBeGreaterThan(0);
  expect(takeAll('four').length).toBeGreaterThan(0);
  for (const leave of [...one, ...one, ...two]) leave();
  // Nine are free, and what three and four have is not.
  expect(takeAll('one').length).toBeGreaterThan(3);
  expect(takeAll('five').length).toBeGreaterThan(0);
});

test('places: a caller gets no more by having many parts, and its parts divide what it gets', () => {
  const places = new Places(200);
  const takeAll = (...who: string[]) => {
    let count = 0;
    while (places.take(...who)) count += 1;
    return count;
  };
  const parts = Array.from({ length: 100 }, (_, n) => takeAll('greedy', `log-in ${n}`));
  expect(parts.slice(0, 3)).toEqual([50, 25, 13]);
  expect(parts.reduce((sum, one) => sum + one)).toBe(100);
  // The same name of another one's part is another part.
  expect(takeAll('other', 'log-in 0')).toBe(25);
  expect(takeAll('third')).toBeGreaterThan(20);
});

test('200 unknown ids from one key: others read at once, and all of it costs Temporal a few questions', async () => {
  await world.create();
  const lists = jest.spyOn(world.temporal.workflowService, 'listWorkflowExecutions');
  const asked = Array.from({ length: 200 }, () =>
    api.get(`/onboards/${newId()}/state`, { key: GREEDY.secret }).then(({ status }) => status),
  );
  // Those without a place have been refused: the others wait.
  await Promise.race(asked);
  const read = api.get(`/onboards/${world.invitation}/state`).then(({ status }) => status);
  expect(await Promise.race([read, Promise.all(asked)])).toBe(200);
  const statuses = await Promise.all(asked);
  expect(new Set(statuses)).toEqual(new Set([404, 503]));
  // One at a time for all who wait, 200 ms apart, for 3 s; each for itself, it would be 15 for each that was let in.
  const letIn = statuses.filter((one) => one === 404).length;
  expect(lists.mock.calls.length).toBeLessThan(8 * letIn);
  lists.mockRestore();
});

/** A request whose end is left to the test. */
function begin(method: string, path: string, key: string, body?: object, headers: http.OutgoingHttpHeaders = {}) {
  const sent = http.request(api.url + path, {
    method,
    auth: `API:${key}`,
    agent: new http.Agent(),
    headers: { 'content-type': 'application/json', ...headers },
  });
  sent.on('error', () => undefined);
  sent.end(body && JSON.stringify(body));
  return sent;
}

test('callers that hang up leave their places at once, whatever they waited for', async () => {
  await world.faults({ on: 'GET', when: 'before', do: 'hang', times: 10_000 });
  const create = () => begin('POST', '/onboards', HASTY.secret, { invitation_id: newId() }, { prefer: 'wait=60' });
  const held = Array.from({ length: MOST }, create);
  const one = () => api.post('/onboards', {}, { key: HASTY.secret }).then(({ status }) => status);
  await eventually(async () => (await one()) === 503);
  const began = performance.now();
  for (const each of held) each.destroy();
  // A place, and what it was asked for with is wrong.
  await eventually(async () => (await one()) === 400);
  expect(performance.now() - began).toBeLessThan(2_000);
});

test('what waits for a place at LeadConduit is let go, too, and nothing of it is lost', async () => {
  const id = newId();
  await world.faults({ on: 'GET', when: 'before', do: 'hang', times: 10_000 });
  const before = (await world.ledger()).calls.GET;
  const sent = begin('POST', '/onboards', KEY, { invitation_id: id }, { prefer: 'wait=60' });
  await eventually(async () => (await world.ledger()).calls.GET > before);
  sent.destroy();
  await world.mend();
  expect(await api.create({ invitation_id: id })).toMatchObject({ status: 201 });
  expect(await world.effects(id)).toMatchObject({ posts: 1, creates: 1 });
});

describe('live pages', () => {
  const logIn = async (key: string) => {
    const { headers } = await fetch(`${api.url}/login`, {
      method: 'POST',
      headers: { origin: api.url },
      body: new URLSearchParams({ key }),
      redirect: 'manual',
    });
    return headers.getSetCookie()[0]!.split(';')[0]!;
  };
  const follow = async (cookie: string) => {
    const [answer] = (await once(begin('GET', '/console/live', '', undefined, { cookie }), 'response')) as [
      http.IncomingMessage,
    ];
    answer.on('error', () => undefined);
    return answer;
  };

  test('300 of one key leave others theirs, however often it has logged in; closed, they are free at once', async () => {
    const [greedy, other] = [await logIn(GREEDY.secret), await logIn(KEY)];
    const pages = await Promise.all(Array.from({ length: 100 }, () => follow(greedy)));
    expect(pages.filter(({ statusCode }) => statusCode === 200)).toHaveLength(50);
    const those = await Promise.all(Array.from({ length: 8 }, () => logIn(GREEDY.secret)));
    for (const its of those) pages.push(...(await Promise.all(Array.from({ length: 25 }, () => follow(its)))));
    expect(pages.filter(({ statusCode }) => statusCode === 200)).toHaveLength(100);
    const mine = await follow(other);
    expect(mine.statusCode).toBe(200);
    expect(String((await once(mine, 'data'))[0])).toContain('data: ');
    const began = performance.now();
    for (const page of pages) page.destroy();
    await eventually(async () => {
      const page = await follow(greedy);
      page.destroy();
      return page.statusCode === 200;
    });
    expect(performance.now() - began).toBeLessThan(900);
    mine.destroy();
  });

  test.each([
    ['as it says', {}],
    ['in pieces', { 'transfer-encoding': 'chunked' }],
  ])('a form larger than any of ours is refused before it is read into one: %s', async (_, headers) => {
    const sent = http.request(`${api.url}/login`, {
      method: 'POST',
      headers: { origin: api.url, 'content-type': 'application/x-www-form-urlencoded', ...headers },
    });
    sent.on('error', () => undefined);
    sent.end(`key=${'a&b='.repeat(20_000)}`);
    const [answer] = (await once(sent, 'response')) as [http.IncomingMessage];
    expect(answer.statusCode).toBe(413);
    answer.resume();
  });
});
