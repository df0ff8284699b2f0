/** Every port of every process of `npm start`, tried as a page of another site would try it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { UpFile } from '../src/temporal/up-file';
import type { OnboardView } from '../src/onboard/view';
import { portsOf, type Listening } from '../test/support/listening';

jest.setTimeout(180_000);

const SAMPLE = '64b8f0f5e4b0c3a1d5e6f7a8';
const LABELLED = '64b8f0f5e4b0c3a1d5e6f7b1';
const LABEL = 'The label that no page may read';
const STRANGER = '64b8f0f5e4b0c3a1d5e6f7c9';
const MARK = `ports-test-${randomUUID()}`;

let folder: string;
let npmStart: ChildProcess;
let up: UpFile;
let connection: Connection;
let key: string;
let session: string;
const basic = (password: string) => ({ authorization: `Basic ${btoa(`API:${password}`)}` });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'onboards-ports-'));
  const { PATH, HOME, TEST_TEMPORAL_CLI } = process.env;
  const free = { TEMPORAL_PORT: '0', TEMPORAL_UI_PORT: '0', EMULATOR_PORT: '0', PORT: '0' };
  const own = { TEMPORAL_CLI_PATH: TEST_TEMPORAL_CLI, TEMPORAL_CONFIG_FILE: '/dev/null', MARK };
  const env = { PATH, HOME, ONBOARDS_DATA_DIR: join(folder, 'data'), ...free, ...own };
  npmStart = spawn(process.execPath, [join(__dirname, '..', 'run.mjs'), 'up'], { cwd: folder, env, stdio: 'ignore' });
  const upFile = join(folder, 'data', 'up.json');
  while (!existsSync(upFile) && npmStart.exitCode === null) await sleep(50);
  up = JSON.parse(readFileSync(upFile, 'utf8')) as UpFile;
  connection = await Connection.connect({ address: up.temporal.address });
  key = readFileSync(up.api!.key_file!, 'utf8').trim();
  const form = new URLSearchParams({ key, who: 'ann' });
  const from = { method: 'POST', headers: { origin: up.api!.url }, redirect: 'manual' } as const;
  const logIn = await fetch(`${up.api!.url}/login`, { ...from, body: form });
  session = logIn.headers.get('set-cookie')!.replace(/;.*/, '');
  const made = await asProgram('POST', '/onboards', { invitation_id: LABELLED, label: LABEL });
  expect(made.status).toBe(201);
});
afterAll(async () => {
  await connection.close();
  const ended = new Promise((resolve) => npmStart.once('close', resolve));
  npmStart.kill('SIGTERM');
  await ended;
  rmSync(folder, { recursive: true, force: true });
});

/** A program that has our key, and no browser. */
const asProgram = (method: string, path: string, body?: object) =>
  fetch(up.api!.url + path, {
    method,
    headers: { ...basic(key), 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
const stateOf = async (id: string) => (await (await asProgram('GET', `/onboards/${id}/state`)).json()) as OnboardView;
const emulator = async (what: string) =>
  (await fetch(`${up.emulator!.url}/_emulator/${what}`)).json() as Promise<object>;

/** All that an act could change. */
async function everything() {
  const { invitations } = (await emulator('ledger')) as { invitations: object };
  const states = await Promise.all([SAMPLE, LABELLED].map(stateOf));
  const { operationInfo } = await connection.workflowService.listBatchOperations({ namespace: 'default' });
  const { count } = await connection.workflowService.countWorkflowExecutions({ namespace: 'default' });
  const console = await fetch(up.api!.url, { headers: { cookie: session }, redirect: 'manual' });
  return {
    states: states.map(({ status, phase, held, label, record, timeline }) => ({
      status,
      phase,
      held,
      label,
      record,
      timeline,
    })),
    ...{ invitations, faults: await emulator('faults'), options: await emulator('options') },
    ...{ batches: operationInfo.length, workflows: Number(count), isLoggedIn: console.status === 200 },
  };
}

/** What pages can make a browser send: headers beside `Host`, for a server at this port. */
const PAGES: Record<string, (port: number) => Record<string, string>> = {
  'a name that was pointed at this machine': (port) => ({
    host: `rebound.example:${port}`,
    origin: `http://rebound.example:${port}`,
    'sec-fetch-site': 'same-origin',
  }),
  'that name, read': (port) => ({ host: `rebound.example:${port}` }),
  'another site': (port) => ({
    host: `127.0.0.1:${port}`,
    origin: 'https://elsewhere.example',
    'sec-fetch-site': 'cross-site',
    'sec-fetch-mode': 'no-cors',
  }),
  'another port': (port) => ({
    host: `127.0.0.1:${port}`,
    origin: 'http://127.0.0.1:1',
    'sec-fetch-site': 'same-site',
  }),
  'another site in a browser that tells less': (port) => ({
    host: `localhost:${port}`,
    origin: 'http://elsewhere.example',
  }),
  'a page without an origin': (port) => ({ host: `127.0.0.1:${port}`, origin: 'null', 'sec-fetch-site': 'cross-site' }),
};

const runs = ['/api/v1', ''].map((prefix) => `${prefix}/namespaces/default/workflows`);
const READS = [
  ...[
    '/',
    '/onboards',
    '/onboards.csv',
    '/console/live',
    '/openapi.json',
    '/readyz',
    '/user',
    '/metrics',
    '/debug/pprof/',
  ],
  ...['ledger', 'faults', 'options'].map((what) => `/_emulator/${what}`),
  ...[SAMPLE, LABELLED].flatMap((id) => [`/onboards/${id}`, `/onboards/${id}/state`, `/console/onboards/${id}`]),
  ...runs.flatMap((all) => [all, `${all}/onboard-${SAMPLE}`, `${all}/onboard-${SAMPLE}/history`]),
  ...['/api/v1/settings', '/api/v1/namespaces', '/namespaces', '/nexus/endpoints'],
];

type Write = [method: string, path: string, body: unknown];
const completes = { to: 'completed' };
const writes = (onboardId: string): Write[] => [
  ...runs.flatMap((all): Write[] => [
    ['POST', `${all}/onboard-${SAMPLE}/signal/advance`, { input: [completes] }],
    ['POST', `${all}/onboard-${SAMPLE}/update/advance`, { request: { input: { name: 'advance', args: [completes] } } }],
    ['POST', `${all}/onboard-${SAMPLE}/query/state`, {}],
    ['POST', `${all}/onboard-${SAMPLE}/terminate`, {}],
    ['POST', `${all}/onboard-${STRANGER}`, { workflowType: { name: 'onboardBuyer' }, taskQueue: { name: 'onboards' } }],
    [
      'POST',
      all.replace('workflows', `batch-operations/${randomUUID()}`),
      {
        visibilityQuery: 'WorkflowType="onboardBuyer"',
        reason: 'none',
        signalOperation: { signal: 'advance', input: [completes] },
      },
    ],
  ]),
  ['POST', '/onboards', { invitation_id: STRANGER }],
  ['PUT', `/onboards/${onboardId}`, { invitation_id: SAMPLE, status: 'completed' }],
  ['PUT', '/_emulator/faults', [{ on: 'GET', when: 'before', do: 'reset' }]],
  ['PUT', '/_emulator/options', { hide_created: true }],
  ['DELETE', '/_emulator/faults', undefined],
  ['POST', `/onboards/${SAMPLE}/advance`, completes],
  ['POST', `/console/onboards/${SAMPLE}/advance`, { ...completes, confirmed: 'yes' }],
  ['POST', '/console/onboards', { invitation_id: STRANGER }],
  ['POST', '/console/emulator', { do: 'hide' }],
  ['POST', '/logout', {}],
];

/** One body in every dress: as a program sends it, and as a form of a page can. */
function dresses(body: unknown): { type?: string; text: string }[] {
  const json = JSON.stringify(body ?? '');
  const fields = Object.entries(body ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const parts = fields.map(
    ([name, value]) => `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  return [
    { type: 'application/json', text: json },
    { type: 'text/plain', text: json },
    { text: json },
    { type: 'application/x-www-form-urlencoded', text: new URLSearchParams(fields).toString() },
    { type: 'multipart/form-data; boundary=b', text: `${parts.join('')}--b--\r\n` },
  ];
}

/** The status and the body; `no HTTP` where the other side speaks something else, `open` where it goes on and on. */
function ask({ address, port }: Listening, method: string, path: string, headers: object, body = '') {
  const host = address.replace(/^\[|\]$/g, '').replace(/^0\.0\.0\.0$/, '127.0.0.1');
  const credentials = { ...basic(key), cookie: session };
  return new Promise<{ status: string; text: string }>((resolve) => {
    const length = method === 'GET' ? {} : { 'content-length': Buffer.byteLength(body) };
    const sent = request({
      host,
      port,
      method,
      path,
      agent: false,
      headers: { ...credentials, ...headers, ...length },
    });
    let text = '';
    let status = 'no HTTP';
    sent.on('response', (came) => {
      status = String(came.statusCode);
      came.setEncoding('utf8').on('data', (part: string) => (text += part));
      came.on('end', () => resolve({ status, text })).on('error', () => resolve({ status, text }));
    });
    sent.on('error', () => resolve({ status, text }));
    sent.setTimeout(3_000, () => {
      resolve({ status: 'open', text });
      sent.destroy();
    });
    sent.end(body);
  });
}

/** Everything in every dress from every page. @returns what told something of an onboard, and the statuses in a line. */
async function tryAll(listening: Listening, onboardId: string, marks: string[]) {
  const told: string[] = [];
  const seen: Record<string, Set<string>> = { GET: new Set(), POST: new Set(), PUT: new Set(), DELETE: new Set() };
  const tryOut = async (page: string, method: string, path: string, headers: object, text?: string) => {
    const answer = await ask(listening, method, path, headers, text);
    seen[method]!.add(answer.status);
    if (marks.some((mark) => answer.text.includes(mark)))
      told.push(`${listening.port} told ${page}: ${method} ${path} (${answer.status})`);
  };
  for (const [page, headersAt] of Object.entries(PAGES)) {
    const headers = headersAt(listening.port);
    for (const path of READS) await tryOut(page, 'GET', path, headers);
    for (const [method, path, body] of writes(onboardId))
      for (const { type, text } of dresses(body))
        await tryOut(page, method, path, { ...headers, ...(type && { 'content-type': type }) }, text);
  }
  const [program = '', script = ''] = listening.command.split(' ').map((word) => word.split('/').at(-1)!);
  const statuses = Object.entries(seen).map(([method, all]) => `${method} ${[...all].join(' ')}`);
  const name = `${program} ${script}`.padEnd(24);
  return { told, row: `  ${name} ${listening.address}:${listening.port}  ${statuses.join(', ')}` };
}

test('no page that a browser shows can read or do anything at any port of any process', async () => {
  // The web page's own server runs while somebody looks: it is tried, too.
  expect((await fetch(up.temporal.ui!)).status).toBe(200);
  const ports = portsOf([npmStart.pid!, up.temporal.pid!, up.worker.pid, up.api!.pid, up.emulator!.pid], MARK);
  const known = [`http://${up.temporal.address}`, up.temporal.ui!, up.api!.url, up.emulator!.url];
  const found = ports.map(({ port }) => String(port));
  for (const url of known) expect(found).toContain(new URL(url).port);
  for (const { address } of ports) expect(address).toMatch(/^127\.|^\[(0000:){7}0001\]$/);

  const before = await everything();
  const records = before.states.map(({ record }) => record!.id);
  const marks = [SAMPLE, LABELLED, LABEL, ...records];
  const answers = await Promise.all(ports.map((listening) => tryAll(listening, records[0]!, marks)));
  const rows = answers.map(({ row }) => row).sort();
  process.stdout.write(`What web pages were answered that are not its own, at each port:\n${rows.join('\n')}\n`);
  expect(answers.flatMap(({ told }) => told)).toEqual([]);
  expect(await everything()).toEqual(before);
});

test('programs that are no browser, and the pages themselves, are served as ever', async () => {
  const faults = `${up.emulator!.url}/_emulator/faults`;
  const list = JSON.stringify([{ on: 'GET', when: 'before', do: 'reset' }]);
  expect((await fetch(faults, { method: 'PUT', body: Buffer.from(list) })).status).toBe(200);
  expect((await fetch(faults, { method: 'DELETE' })).status).toBe(200);
  const page = up.temporal.ui!;
  const signal = await fetch(`${page}/api/v1/namespaces/default/workflows/onboard-${SAMPLE}/signal/note`, {
    method: 'POST',
    headers: { origin: page, 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' },
    body: JSON.stringify({ input: { payloads: [payloadOf({ text: 'from its own page' })] } }),
  });
  expect(signal.status).toBe(200);
  const { workflow } = new Client({ connection });
  const state = await workflow.getHandle(`onboard-${SAMPLE}`).query<OnboardView>('state');
  expect(JSON.stringify(state.timeline)).toContain('from its own page');
  const own = { cookie: session, origin: up.api!.url, 'sec-fetch-site': 'same-origin' };
  const held = { method: 'POST', headers: own, body: new URLSearchParams({}), redirect: 'manual' } as const;
  expect((await fetch(`${up.api!.url}/console/onboards/${SAMPLE}/hold`, held)).status).toBe(303);
  expect(await stateOf(SAMPLE)).toMatchObject({ held: true });
});

const payloadOf = (value: object) => ({
  metadata: { encoding: btoa('json/plain') },
  data: btoa(JSON.stringify(value)),
});
