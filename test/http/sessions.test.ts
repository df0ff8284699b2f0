/** Who is let in: wrong keys are slowed down and logged, log-outs count everywhere, consoles side by side stay apart. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OnboardsClient } from '../../src/client';
import { hashOf, Keys } from '../../src/http/keys';
import { startServer, type ApiServer } from '../../src/http/server';
import { Client, Connection } from '@temporalio/client';

const KEY = 'a-key-of-the-tests';
let folder: string;
let connection: Connection;
let running: ApiServer[];
let log: string[];
let spy: jest.SpyInstance;

beforeAll(async () => {
  connection = await Connection.connect({ address: process.env.TEST_TEMPORAL_ADDRESS });
});
afterAll(() => connection.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'onboards-sessions-'));
  [running, log] = [[], []];
  spy = jest.spyOn(console, 'error').mockImplementation((...args) => void log.push(args.join(' ')));
});
afterEach(async () => {
  spy.mockRestore();
  await Promise.all(running.map((server) => server.close()));
  rmSync(folder, { recursive: true, force: true });
});

/** An API on the folder, as one more process of its own would be. */
async function serve(port = 0, key = KEY): Promise<ApiServer> {
  const onboards = new OnboardsClient(new Client({ connection }), { taskQueue: 'nobodys', policy: {} });
  const keys = new Keys([{ name: 'ann', role: 'operate', hash: hashOf(key) }]);
  const deps = { onboards, keys, completedStatus: 'completed', neighbours: () => ({}), sessionsFolder: sessions() };
  const server = await startServer(deps, { host: '127.0.0.1', port });
  running.push(server);
  return server;
}
const sessions = () => join(folder, 'sessions');

const post = (url: string, path: string, form: Record<string, string>, cookie = '') =>
  fetch(url + path, {
    method: 'POST',
    headers: { origin: url, cookie },
    body: new URLSearchParams(form),
    redirect: 'manual',
  });
/** The cookie. */
async function logIn(url: string, who = 'ann'): Promise<string> {
  const { status, headers } = await post(url, '/login', { key: KEY, who });
  expect(status).toBe(303);
  return headers.getSetCookie()[0]!.split(';')[0]!;
}
/** Whether the cookie lets in. */
async function isIn(url: string, cookie: string): Promise<boolean> {
  const { status } = await fetch(`${url}/console/live`, { method: 'HEAD', headers: { cookie } });
  return status === 200;
}

test('a log-out counts after a restart, and at another API on the same folder; another session goes on', async () => {
  const first = await serve();
  const [mine, other] = [await logIn(first.url), await logIn(first.url)];
  const second = await serve();
  // The same cookies, as one address before both would have them sent.
  const there = (cookie: string) => cookie.replace(new URL(first.url).port, new URL(second.url).port);
  expect([await isIn(first.url, mine), await isIn(second.url, there(mine))]).toEqual([true, true]);
  await post(first.url, '/logout', {}, mine);
  expect([await isIn(first.url, mine), await isIn(second.url, there(mine))]).toEqual([false, false]);
  expect([await isIn(first.url, other), await isIn(second.url, there(other))]).toEqual([true, true]);
  const port = Number(new URL(first.url).port);
  await first.close();
  const again = await serve(port);
  expect([await isIn(again.url, mine), await isIn(again.url, other)]).toEqual([false, true]);
});

test('two consoles on one host do not log each other out: a browser sends both cookies to both', async () => {
  const [one, two] = [await serve(), await serve()];
  const cookies = [await logIn(one.url), await logIn(two.url)];
  expect(new Set(cookies.map((cookie) => cookie.split('=')[0])).size).toBe(2);
  const both = cookies.join('; ');
  expect([await isIn(one.url, both), await isIn(two.url, both)]).toEqual([true, true]);
  const left = await post(one.url, '/logout', {}, both);
  expect(left.headers.getSetCookie().join()).toContain(cookies[0]!.split('=')[0]);
  expect([await isIn(one.url, both), await isIn(two.url, both)]).toEqual([false, true]);
});

test('what is kept lets nobody in, is for this user only, and goes when it has run out', async () => {
  const { url } = await serve();
  const cookie = await logIn(url, 'bob');
  const [name = ''] = readdirSync(sessions());
  const file = join(sessions(), name);
  expect([statSync(file).mode & 0o777, statSync(sessions()).mode & 0o777]).toEqual([0o600, 0o700]);
  const text = readFileSync(file, 'utf8');
  expect(text).toContain('bob');
  expect(text).not.toContain(cookie.split('=')[1]);
  expect(text).not.toContain(KEY);
  expect(await isIn(url, `${cookie.split('=')[0]}=${name}`)).toBe(false);
  for (const made of ['', '..', '../sessions', name, 'a'.repeat(4_000), '%00'])
    expect(await isIn(url, `${cookie.split('=')[0]}=${made}`)).toBe(false);
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(text) as object), until: Date.now() - 1 }));
  writeFileSync(join(sessions(), 'broken'), '{');
  expect(await isIn(url, cookie)).toBe(false);
  await logIn(url);
  expect(readdirSync(sessions()).filter((each) => [name, 'broken'].includes(each))).toEqual([]);
});

test('log-ins are not kept where others could write one', async () => {
  for (const [open, other] of [
    [folder, sessions()],
    [sessions(), folder],
  ] as const) {
    mkdirSync(sessions(), { recursive: true });
    chmodSync(open, 0o777);
    chmodSync(other, 0o700);
    await expect(serve()).rejects.toThrow(`${open} is a folder that everybody may write to (mode 0777): chmod o-w it`);
  }
  chmodSync(sessions(), 0o700);
  await serve();
});

test('the sessions of one key are bounded; with its key changed, a session is over', async () => {
  const { url } = await serve();
  const first = await logIn(url);
  for (let n = 0; n < 110; n += 1) await logIn(url);
  expect(readdirSync(sessions()).length).toBeLessThanOrEqual(100);
  expect(await isIn(url, first)).toBe(false);
  const last = await logIn(url);
  const port = Number(new URL(url).port);
  await running[0]!.close();
  expect(await isIn((await serve(port, 'another-of-the-tests')).url, last)).toBe(false);
});

const WAYS: [string, (url: string, key: string) => Promise<{ status: number }>][] = [
  ['HTTP Basic', (url, key) => fetch(`${url}/onboards`, { headers: { authorization: `Basic ${btoa(`API:${key}`)}` } })],
  ['the log-in', (url, key) => post(url, '/login', { key })],
];
test.each(WAYS)('wrong keys are slowed down and logged, a right one never: %s', async (_, knock) => {
  const { url } = await serve();
  const timed = async (key: string) => {
    const began = performance.now();
    const { status } = await knock(url, key);
    return { status, ms: performance.now() - began };
  };
  const guesses = Array.from({ length: 12 }, (_, n) => timed(`guess-number-${n}-of-many`));
  const first = await Promise.race(guesses);
  expect(first).toMatchObject({ status: 401 });
  const right = await timed(KEY);
  expect(right.status).toBeLessThan(400);
  const all = await Promise.all(guesses);
  expect(new Set(all.map(({ status }) => status))).toEqual(new Set([401]));
  const slowest = Math.max(...all.map(({ ms }) => ms));
  expect(slowest).toBeGreaterThan(4_000);
  expect(right.ms).toBeLessThan(slowest / 2);
  expect(log).toContain('Wrong key from 127.0.0.1: 8 by now');
  expect(log.length).toBeLessThan(12);
  expect(log.join()).not.toMatch(/guess|number|of-many/);
});
