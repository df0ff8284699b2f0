/** Who may ask at all: a Host that is ours, and no page of another site. */
import { request } from 'node:http';
import { startEmulator, type Emulator } from '../../src/emulator/serve';
import { hashOf, Keys } from '../../src/http/keys';
import { startServer, type ApiServer } from '../../src/http/server';
import { KEY, sessionsOf } from '../support/api';
import { World } from '../support/world';

let world: World;
let emulator: Emulator;
const servers: ApiServer[] = [];
beforeAll(async () => {
  [world, emulator] = await Promise.all([World.start(), startEmulator({ port: 0 })]);
});
afterAll(async () => {
  for (const server of servers) await server.close();
  await Promise.all([world.close(), emulator.close()]);
});

async function api(host = '127.0.0.1', publicUrl?: string): Promise<string> {
  const keys = new Keys([{ name: 'shop', role: 'operate', hash: hashOf(KEY) }]);
  const pages = { sessionsFolder: sessionsOf(world), neighbours: () => ({}), publicUrl };
  const deps = { onboards: world.onboards, keys, completedStatus: 'completed', ...pages };
  const server = await startServer(deps, { host, port: 0 });
  servers.push(server);
  return server.url;
}

/** With headers of one's own, the `Host` among them. */
function ask(url: string, headers: Record<string, string> = {}, method = 'GET', body?: string) {
  return new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (came) => {
      let text = '';
      came.setEncoding('utf8').on('data', (part: string) => (text += part));
      came.on('end', () => resolve({ status: came.statusCode!, headers: came.headers, text }));
    });
    sent.on('error', reject).end(body);
  });
}
const statusFor = async (url: string, host: string) => (await ask(`${url}/healthz`, { host })).status;
const key = { authorization: `Basic ${btoa(`API:${KEY}`)}` };

const OWN = ['localhost', 'LOCALHOST:80', '127.0.0.1', '127.0.0.1:1', '127.9.9.9', '[::1]', '[::1]:3000'];
const STRANGE = [
  ...['rebound.example', 'rebound.example:3000', 'localhost.rebound.example', '127.0.0.1.rebound.example', '10.0.0.1'],
  ...['localhost@rebound.example', 'rebound.example#localhost', 'localhost/', '[::2]', '0.0.0.0', 'localhost:port'],
];

describe('a Host that is not its own', () => {
  test('is refused by the API on loopback, with the setting that lets it in', async () => {
    const url = await api();
    for (const host of OWN) expect([host, await statusFor(url, host)]).toEqual([host, 200]);
    for (const host of STRANGE) expect([host, [400, 421].includes(await statusFor(url, host))]).toEqual([host, true]);
    const { status, text } = await ask(`${url}/onboards`, { ...key, host: 'rebound.example' });
    expect([status, text]).toEqual([421, expect.stringMatching(/set .*ONBOARDS_PUBLIC_URL|ONBOARDS_PUBLIC_URL: set/)]);
    expect(text).not.toContain('rebound');
  });

  test('is refused by the emulator', async () => {
    const ledger = `${emulator.url}/_emulator/ledger`;
    for (const host of OWN) expect([host, (await ask(ledger, { host })).status]).toEqual([host, 200]);
    for (const host of STRANGE) expect([host, (await ask(ledger, { host })).status]).toEqual([host, 421]);
  });

  test('is served where it is that of the public address', async () => {
    const url = await api('127.0.0.1', 'https://onboards.example');
    expect(await statusFor(url, 'onboards.example')).toBe(200);
    expect(await statusFor(url, 'Onboards.Example:443')).toBe(200);
    expect(await statusFor(url, 'other.example')).toBe(421);
  });

  test('is served beyond loopback, where every name may be its own and nothing is told without a key', async () => {
    const url = await api('0.0.0.0');
    expect(await statusFor(url, 'api.internal:3000')).toBe(200);
    expect((await ask(`${url}/onboards`, { host: 'api.internal' })).status).toBe(401);
  });
});

describe('what a page of another site makes a browser send', () => {
  const pages: [string, Record<string, string>][] = [
    ['a form', { origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }],
    ['another port of this machine', { origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' }],
    ['no origin told', { 'sec-fetch-site': 'cross-site' }],
    ['the origin told only', { origin: 'https://elsewhere.example' }],
    ['a sandbox', { origin: 'null' }],
    ['an origin that is none', { origin: 'http://' }],
  ];
  const types = [
    'text/plain',
    'multipart/form-data; boundary=b',
    'application/x-www-form-urlencoded',
    'application/json',
  ];

  test.each(pages)('does nothing: %s', async (_, headers) => {
    const url = await api();
    for (const type of types)
      for (const path of ['/login', '/logout', '/console/onboards', '/console/emulator', '/onboards']) {
        const dressed = { ...key, ...headers, 'content-type': type };
        expect([path, type, (await ask(url + path, dressed, 'POST', '{}')).status]).toEqual([path, type, 403]);
      }
    for (const [method, path] of [
      ['PUT', '/_emulator/faults'],
      ['DELETE', '/_emulator/faults'],
      ['POST', '/onboards'],
    ] as const)
      expect((await ask(emulator.url + path, { ...key, ...headers }, method, '[]')).status).toBe(403);
    expect((await ask(`${emulator.url}/_emulator/ledger`, headers)).status).toBe(403);
  });

  test('a form that says nothing of where it comes from is no page of the console', async () => {
    const url = await api();
    for (const type of types)
      expect((await ask(`${url}/login`, { 'content-type': type }, 'POST', `key=${KEY}`)).status).toBe(403);
  });

  test('a link from there opens the console, and a form of its own is taken, behind a proxy too', async () => {
    const url = await api('127.0.0.1', 'https://onboards.example');
    const visit = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect((await ask(`${url}/login`, visit)).status).toBe(200);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const told: Record<string, string>[] = [
      { origin: url },
      { origin: 'https://onboards.example' },
      { 'sec-fetch-site': 'same-origin' },
    ];
    for (const headers of told)
      expect((await ask(`${url}/login`, { ...form, ...headers }, 'POST', `key=${KEY}`)).status).toBe(303);
    expect((await ask(`${url}/login`, { ...form, origin: 'http://onboards.example' }, 'POST')).status).toBe(403);
  });
});

test('no answer but a file that names its version is kept by anybody', async () => {
  const url = await api();
  const session = (
    await ask(
      `${url}/login`,
      { origin: url, 'content-type': 'application/x-www-form-urlencoded' },
      'POST',
      `key=${KEY}`,
    )
  ).headers['set-cookie'];
  const cookie = { cookie: String(session) };
  const answers = await Promise.all([
    ...[
      '/onboards',
      '/onboards/64b8f0f5e4b0c3a1d5e6f7a8/state',
      '/healthz',
      '/readyz',
      '/openapi.json',
      '/nothing',
    ].map((path) => ask(url + path, key)),
    ...['/', '/login'].map((path) => ask(url + path, cookie)),
    ask(`${url}/onboards`),
    ask(`${url}/onboards`, key, 'PATCH'),
    ask(`${url}/onboards`, key, 'POST', '{'),
    ask(`${url}/healthz`, { host: 'rebound.example' }),
    ask(`${url}/healthz`, { large: 'x'.repeat(20_000) }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([
    200, 404, 200, 200, 200, 404, 200, 200, 401, 405, 415, 421, 431,
  ]);
  for (const { headers } of answers) expect(headers['cache-control']).toBe('no-store');
});
