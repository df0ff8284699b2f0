/** Looks are shared, and calls wait for a place: never more under way than the settings say. */
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Doubles } from '../../src/activities/doubles';
import { LeadConduitClient, type SendPermit } from '../../src/leadconduit/client';
import { readLook, type Look } from '../../src/leadconduit/shared-looks';
import { CallSlots } from '../../src/leadconduit/call-slots';

const INVITATION = '64b8f0f5e4b0c3a1d5e6f7a8';
const RECORD = { id: '5fd4371e940df5a34a3888b2', invitation_id: INVITATION };

const closers: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

interface Held {
  readonly method: string;
  answer(status?: number): void;
}

/** A real server that holds each request until it is told to answer, and counts how many it holds. */
async function upstream(maxConcurrency: number) {
  const seen: string[] = [];
  const held: Held[] = [];
  const waiting: ((request: Held) => void)[] = [];
  let underWay = 0;
  const state = { seen, most: 0 };
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const method = request.method!;
    seen.push(method);
    state.most = Math.max(state.most, ++underWay);
    const answer = (status = 200) => {
      underWay -= 1;
      response.statusCode = status;
      response.end(JSON.stringify(method === 'GET' ? [RECORD] : RECORD));
    };
    const next = waiting.shift();
    if (next) next({ method, answer });
    else held.push({ method, answer });
  };
  const server = http.createServer((request, response) => {
    request.resume().on('end', () => onRequest(request, response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new LeadConduitClient({
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    apiKey: 'key',
    timeoutMs: 5_000,
    maxConcurrency,
    maxListBytes: 10_000,
  });
  closers.push(
    () => client.close(),
    () => server.close(),
    () => server.closeAllConnections(),
  );
  return {
    state,
    client,
    /** The next request that the server has read. */
    arrival: (): Promise<Held> => {
      const next = held.shift();
      return next ? Promise.resolve(next) : new Promise((resolve) => waiting.push(resolve));
    },
  };
}

const soon = () => Date.now() + 10_000;
const permit = (slotUntil = soon()): SendPermit => ({ slotUntil, gate: () => undefined });
const create = (client: LeadConduitClient, slotUntil?: number) =>
  client.createOnboard({ invitation_id: INVITATION }, permit(slotUntil));

describe('a look is shared', () => {
  test('by all who asked before it was sent; those who ask later get the next one', async () => {
    const { client, arrival, state } = await upstream(3);
    const early = Array.from({ length: 25 }, () => client.look(soon()));
    const first = await arrival();
    const late = Array.from({ length: 25 }, () => client.look(soon()));
    first.answer();
    const [one, ...sameAsOne] = await Promise.all(early);
    (await arrival()).answer();
    const [two, ...sameAsTwo] = await Promise.all(late);
    expect(new Set([one, ...sameAsOne]).size).toBe(1);
    expect(new Set([two, ...sameAsTwo]).size).toBe(1);
    expect(one).not.toBe(two);
    expect(state.seen).toEqual(['GET', 'GET']);
  });

  test('never two at a time, and it was sent after the call and arrived later', async () => {
    const { client, arrival } = await upstream(3);
    const asked = Date.now();
    const look = client.look(soon());
    const held = await arrival();
    const next = client.look(soon());
    const write = create(client); // overtakes a look that has a place free and may not use it
    const overtaking = await arrival();
    expect(overtaking.method).toBe('POST');
    overtaking.answer();
    await write;
    held.answer();
    const answered = Date.now();
    const { sentAt, arrivedAt } = await look;
    expect(sentAt).toBeGreaterThanOrEqual(asked);
    expect(sentAt).toBeLessThanOrEqual(answered);
    expect(arrivedAt).toBeGreaterThanOrEqual(answered);
    (await arrival()).answer();
    expect((await next).sentAt).toBeGreaterThanOrEqual(arrivedAt);
  });

  test('a failed one fails for all who shared it, with the same facts, and for nobody else', async () => {
    const { client, arrival } = await upstream(3);
    const early = [client.look(soon()), client.look(soon())].map((look) => look.catch((error: unknown) => error));
    const first = await arrival();
    const late = client.look(soon());
    first.answer(503);
    const [one, two] = await Promise.all(early);
    expect(one).toMatchObject({ operation: 'look', sent: true, status: 503 });
    expect(two).toBe(one);
    (await arrival()).answer();
    await expect(late).resolves.toMatchObject({ doubled: new Map() });
  });

  test('who gives up leaves it to the others', async () => {
    const { client, arrival, state } = await upstream(3);
    const patient = client.look(soon());
    const hasty = client.look(Date.now() + 30);
    const held = await arrival();
    await expect(hasty).rejects.toMatchObject({ sent: false, reason: 'no look in time', noSlot: true });
    held.answer();
    await expect(patient).resolves.toMatchObject({ doubled: new Map() });
    expect(state.seen).toEqual(['GET']);
  });

  test('one that nobody waits for any more is not sent', async () => {
    const { client, arrival, state } = await upstream(1);
    const write = create(client);
    const held = await arrival();
    await expect(client.look(Date.now() + 30)).rejects.toMatchObject({ sent: false, reason: 'no look in time' });
    held.answer();
    await write;
    const last = create(client);
    (await arrival()).answer();
    await last;
    expect(state.seen).toEqual(['POST', 'POST']);
  });
});

test('the worker’s own look comes when nobody has looked for as long as it says, and no later', async () => {
  const { client, arrival } = await upstream(1);
  const EVERY = 1_000;
  const doubles = new Doubles(() => Promise.resolve());
  const stop = doubles.keepLooking(client, () => Promise.resolve(true), EVERY);
  closers.push(stop);
  const someone = client.look(soon());
  (await arrival()).answer();
  doubles.seen(await someone);
  const since = performance.now();
  (await arrival()).answer();
  const took = performance.now() - since;
  stop();
  expect(took).toBeGreaterThan(0.95 * EVERY);
  expect(took).toBeLessThan(1.3 * EVERY);
});

describe('places', () => {
  test('40 writers and looks: three under way, never more', async () => {
    const { client, arrival, state } = await upstream(3);
    const calls = Array.from({ length: 40 }, () => [create(client), client.look(soon())]).flat();
    const ended = Promise.all(calls);
    for (let served = 0; served < 41; served += 3) {
      const group = await Promise.all(Array.from({ length: Math.min(3, 41 - served) }, arrival));
      for (const request of group) request.answer();
    }
    await ended;
    expect(state.most).toBe(3);
    expect(state.seen.filter((method) => method === 'GET')).toHaveLength(1);
  });

  test('waiting writers go before the look', async () => {
    const { client, arrival, state } = await upstream(1);
    const first = create(client);
    const held = await arrival();
    const all = [first, client.look(soon()), create(client), create(client)];
    held.answer();
    for (let i = 0; i < 3; i += 1) (await arrival()).answer();
    await Promise.all(all);
    expect(state.seen).toEqual(['POST', 'POST', 'POST', 'GET']);
  });

  test('a writer that gets none in time sends nothing, then or later', async () => {
    const { client, arrival, state } = await upstream(1);
    const first = create(client);
    const held = await arrival();
    const none = { operation: 'create', sent: false, noSlot: true, reason: 'no slot in time' };
    await expect(create(client, Date.now() + 30)).rejects.toMatchObject(none);
    held.answer();
    await first;
    await expect(create(client, Date.now() - 1)).rejects.toMatchObject(none);
    const last = create(client);
    (await arrival()).answer();
    await last;
    expect(state.seen).toEqual(['POST', 'POST']);
  });

  test('a writer whose time is up gets none, also when its timer is late', async () => {
    const places = new CallSlots(1);
    const leave = (await places.forWrite(soon()))!;
    const stale = places.forWrite(Date.now() + 10);
    const fresh = places.forWrite(soon());
    const until = Date.now() + 20;
    while (Date.now() < until); // the process is stopped, say
    leave();
    await expect(stale).resolves.toBeUndefined();
    await expect(fresh).resolves.toBeInstanceOf(Function);
  });

  test('writers go in their order, and who left leaves no hole', async () => {
    const places = new CallSlots(1);
    let leave = (await places.forWrite(soon()))!;
    const order: number[] = [];
    const enter = (n: number, until = soon()) =>
      places.forWrite(until).then((taken) => {
        if (!taken) return;
        order.push(n);
        leave = taken;
      });
    const [one, two, three] = [enter(1), enter(2, Date.now() + 10), enter(3)];
    await two;
    leave();
    await one;
    leave();
    await three;
    expect(order).toEqual([1, 3]);
    leave();
    await expect(places.forLook()).resolves.toBeInstanceOf(Function);
  });

  test('a far deadline does not fire at once', async () => {
    const places = new CallSlots(1);
    const leave = (await places.forWrite(soon()))!;
    const waiting = places.forWrite(Date.now() + 365 * 86_400_000);
    await new Promise((resolve) => setTimeout(resolve, 5));
    leave();
    (await waiting)!();
    await expect(waiting).resolves.toBeInstanceOf(Function);
  });
});

describe('an answer', () => {
  test.each([
    ['undefined', undefined],
    ['null', null],
    ['an object', { onboards: [RECORD] }],
    ['an element that is no object', [RECORD, 'x']],
    ['an element without id', [RECORD, { invitation_id: INVITATION }]],
    ['an element whose invitation is a number', [RECORD, { id: 'x', invitation_id: 7 }]],
    ['an id that is a number', [{ ...RECORD, id: 1 }]],
  ])('that is %s is no look', (_, body) => {
    expect(readLook(body, {}, 1, 2)).toEqual(expect.any(String));
  });

  test('is found by ids in any case, with everything that came', () => {
    const odd = { ...RECORD, id: 'AB', invitation_id: INVITATION.toUpperCase(), status: 7, flow_id: null, new: [1] };
    const look = readLook([RECORD, { id: '', invitation_id: '' }, odd], {}, 1, 2) as Look;
    expect(look).toMatchObject({ sentAt: 1, arrivedAt: 2 });
    expect(look.of(INVITATION.toUpperCase())).toEqual([RECORD, odd]);
    expect(look.of('64b8f0f5e4b0c3a1d5e6f7ff')).toEqual([]);
    expect([look.has(RECORD.id.toUpperCase()), look.has('zz')]).toEqual([true, false]);
  });

  test('that is empty is a look', () => {
    expect(readLook([], {}, 1, 2)).toMatchObject({ sentAt: 1 });
  });
});
