/**
 * The account's key stays where it must be. Every failure is provoked with a marked one, in the product's own processes
 * (`npm start` with its Temporal server, workers, the command line); then all that they left behind is searched.
 */
import { once } from 'node:events';
import { appendFileSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { OnboardsClient, policyOf } from '../src/client';
import { loadConfig } from '../src/config';
import { startEmulator, type Emulator } from '../src/emulator/serve';
import { LeadConduitClient } from '../src/leadconduit/client';
import { claimPort } from '../src/temporal/ports';
import { readUpFile, type UpFile } from '../src/temporal/up-file';
import type { OnboardView } from '../src/onboard/view';
import { kill9 } from '../test/support/worker-process';
import { newId, type Fault } from '../test/support/world';
import { KEY, readable, traces } from './support/marked-key';
import { at, children, folder, letIn, run, saidBy, selfSigned, SETTINGS } from './support/marked-programs';
import { eventually } from './support/operators';
import { ANSWERS, SAYING, startTalkative, type Talkative } from './support/talkative';

let talkative: Talkative;
let emulator: Emulator;
let up: UpFile;
let temporal: Client;
/** As which our own API and console know us. */
let headers: Record<string, string>;

/** A worker with a queue and an upstream of its own, and the door to it. */
async function line(name: string, baseUrl: string, start = true): Promise<OnboardsClient> {
  const env = { LEADCONDUIT_BASE_URL: baseUrl, ONBOARDS_TASK_QUEUE: name };
  if (start) {
    // A data folder of its own: in that of `npm start`, a worker for another upstream refuses to start.
    run(name, 'worker', { ...env, TEMPORAL_ADDRESS: up.temporal.address, ONBOARDS_DATA_DIR: at(name) });
    await eventually('ready', () => Promise.resolve(saidBy(name).includes('Worker ready')));
  }
  const config = loadConfig({ ...SETTINGS, ...env });
  const policy = { ...policyOf(config), backoff_ms: 50, credentials_backoff_ms: 100 };
  return new OnboardsClient(temporal, { taskQueue: name, policy });
}

async function startOne(onboards: OnboardsClient, invitation_id = newId()): Promise<string> {
  await onboards.start({ invitation_id });
  return invitation_id;
}
/** Until what became of its first attempt is known. */
const tried = (onboards: OnboardsClient, id: string) =>
  told(onboards, id, ({ ledger: [entry] }) => entry !== undefined && entry.outcome !== 'pending');

/** Orders it to be moved, and waits until what became of the first attempt is known. */
async function moved(onboards: OnboardsClient, id: string, to: 'in_progress' | 'completed'): Promise<void> {
  await onboards.whenCreated({ invitation_id: id }, 20_000);
  await onboards.get(id).send({ name: 'advance', to });
  await told(onboards, id, ({ ledger }) =>
    ledger.some(({ effect, outcome }) => effect === to && outcome !== 'pending'),
  );
}

/** When it has come so far, our API and console are asked about it, too; their answers go to files. */
async function told(onboards: OnboardsClient, id: string, is: (state: OnboardView) => boolean): Promise<void> {
  await eventually('come so far', async () => is(await onboards.get(id).state()));
  await ask('api', 'POST', '/onboards', { invitation_id: id });
  await ask('api', 'GET', `/onboards/${id}/state`);
  await ask('console', 'GET', `/console/onboards/${id}`);
}

async function ask(door: 'api' | 'console', method: string, path: string, body?: object): Promise<void> {
  const answer = await fetch(up.api!.url + path, { method, headers, body: JSON.stringify(body), redirect: 'manual' });
  const head = `${method} ${path} ${answer.status} ${JSON.stringify([...answer.headers])}`;
  appendFileSync(at(`answers-${door}.log`), `${head}\n${await answer.text()}\n`);
}

beforeAll(async () => {
  [talkative, emulator] = [await startTalkative(), await startEmulator({ port: 0, dataDir: at('emulator') })];
  run('up', 'up', {
    LEADCONDUIT_BASE_URL: talkative.url,
    TEMPORAL_CLI_PATH: process.env.TEST_TEMPORAL_CLI ?? '',
    TEMPORAL_PORT: '0',
    TEMPORAL_UI_PORT: '0',
    PORT: '0',
  });
  let found: UpFile | undefined;
  await eventually('up', () => Promise.resolve((found = readUpFile(at('data'))) !== undefined), 60_000);
  up = found!;
  temporal = new Client({ connection: await Connection.connect({ address: up.temporal.address }) });
  headers = await letIn(up.api!);
});
afterAll(async () => {
  const [first, ...others] = children;
  await Promise.all(others.map(kill9));
  if (first?.exitCode === null) {
    first.kill('SIGTERM');
    await once(first, 'exit');
  }
  await temporal.connection.close();
  await talkative.close();
  await emulator.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('provoked', () => {
  test('whatever an upstream says to a call or a look that repeats the key', async () => {
    const onboards = await line('onboards', talkative.url, false);
    const names = Object.keys(ANSWERS);
    const acts = names.map((name) => [name, newId()] as const);
    for (const [name, id] of acts) talkative.onAct.set(id, name);
    await Promise.all(acts.map(([, id]) => startOne(onboards, id).then(() => tried(onboards, id))));
    const moves = names.map((name) => [name, newId()] as const);
    talkative.listed = moves.map(([, invitation_id]) => ({ id: newId(), invitation_id, status: 'created' }));
    for (const [name, id] of moves) talkative.onAct.set(id, name);
    await Promise.all(moves.map(([, id]) => startOne(onboards, id).then(() => moved(onboards, id, 'in_progress'))));
    expect(talkative.puts).toBeGreaterThanOrEqual(names.length);
    for (const name of names) {
      talkative.onLook = name;
      await tried(onboards, await startOne(onboards));
    }
    talkative.onLook = undefined;
  });

  test('faults of every kind, and a key that is refused', async () => {
    const onboards = await line('emulator', emulator.url);
    const kinds = ['reset', 'hang', 'slow', 'status', 'html', 'truncate', 'foreign'] as const;
    const faultsOn = (on: 'POST' | 'PUT') =>
      kinds.flatMap((kind) =>
        (['before', 'after'] as const).map((when): Fault => ({ on, when, do: kind, invitation_id: newId() })),
      );
    const [faults, putFaults] = [faultsOn('POST'), faultsOn('PUT')];
    const emulate = (path: string, body: unknown) =>
      fetch(`${emulator.url}/_emulator/${path}`, { method: 'PUT', body: JSON.stringify(body) });
    // At the call for in_progress, and again at the completing one; between them that is repeated where it had no effect.
    const harmless = { when: 'after', do: 'slow', ms: 1 } as const;
    const atBoth = putFaults.flatMap((fault) =>
      fault.when === 'after' ? [fault, fault] : [fault, { ...fault, ...harmless }, fault],
    );
    await emulate('faults', [...faults, ...atBoth]);
    await Promise.all([
      ...faults.map(({ invitation_id }) => startOne(onboards, invitation_id).then((id) => tried(onboards, id))),
      ...putFaults.map(async ({ invitation_id }) => {
        const id = await startOne(onboards, invitation_id);
        await moved(onboards, id, 'in_progress');
        await moved(onboards, id, 'completed');
      }),
    ]);
    const ledger = (await (await fetch(`${emulator.url}/_emulator/ledger`)).json()) as { calls: { PUT: number } };
    expect(ledger.calls.PUT).toBeGreaterThanOrEqual(2 * putFaults.length);
    await emulate('options', { key: 'another' });
    const id = await startOne(onboards);
    await told(onboards, id, ({ attention }) => attention?.code === 'credentials');
  });

  test('nobody there, and a certificate that cannot be trusted', async () => {
    const secure = https.createServer(selfSigned(), (_, res) => res.end('[]'));
    secure.listen(0, '127.0.0.1');
    await once(secure, 'listening');
    const urls = {
      refused: `http://127.0.0.1:${await claimPort(0, 'nobody', 'PORT')}`,
      tls: `https://127.0.0.1:${(secure.address() as AddressInfo).port}`,
    };
    const unreadable = Object.entries(urls).map(async ([name, url]) => {
      const onboards = await line(name, url);
      const id = await startOne(onboards);
      await told(onboards, id, ({ attention }) => attention?.code === 'list_unreadable');
    });
    await Promise.all(unreadable);
    secure.close();
  });

  test('settings that are wrong, on every program', async () => {
    const wrong: Record<string, string>[] = [
      { LEADCONDUIT_BASE_URL: `https://API:${encodeURIComponent(KEY)}@127.0.0.1` },
      { LEADCONDUIT_BASE_URL: `https://127.0.0.1/?key=${encodeURIComponent(KEY)}` },
    ];
    // Those that are handed the key read it.
    const wrongKeys: Record<string, string>[] = [
      { LEADCONDUIT_API_KEY: `${KEY} ` + 'x' },
      { LEADCONDUIT_API_KEY_FILE: `/${KEY}` },
    ];
    for (const program of ['worker', 'up', 'starter', 'http/server', 'emulator/serve']) {
      const args = program === 'starter' ? ['list'] : [];
      const name = `wrong-${program.replace('/', '-')}`;
      const all = ['worker', 'up'].includes(program) ? [...wrong, ...wrongKeys] : wrong;
      const ended = all.map((env, n) => once(run(`${name}-${n}`, program, env, ...args), 'exit'));
      expect(await Promise.all(ended)).toEqual(all.map(() => [2, null]));
    }
  });

  test('the command line, showing what happened and failing itself', async () => {
    const [id = ''] = talkative.onAct.keys();
    const commands = [
      ['show', id],
      ['show', '--json', id],
      ['list', '--json'],
      ['resolve', id, '--action', 'retry'],
      ['advance', newId(), '--to', 'completed'],
      ['show', 'no-id'],
    ];
    const env = { LEADCONDUIT_BASE_URL: talkative.url };
    await Promise.all(commands.map((args, n) => once(run(`cli-${n}`, 'starter', env, ...args), 'exit')));
    await once(run('cli-alone', 'starter', { ...env, TEMPORAL_ADDRESS: '127.0.0.1:1' }, 'list'), 'exit');
    expect(saidBy('cli-0')).toContain(SAYING);
  });
});

/** What was left: where it is kept, and a word by which one sees that it was looked at. */
describe('searched', () => {
  const clean = (text: string, control: string) => {
    expect(text).toContain(control);
    expect(traces(text)).toEqual([]);
  };

  test('histories, with all that is in their payloads', async () => {
    const texts: string[] = [];
    for await (const { workflowId, runId } of temporal.workflow.list())
      texts.push(readable(await temporal.workflow.getHandle(workflowId, runId).fetchHistory()));
    clean(texts.join('\n'), SAYING);
  });

  test('states, descriptions, search attributes, memos', async () => {
    const texts: string[] = [];
    for await (const { workflowId } of temporal.workflow.list({ query: "WorkflowType = 'onboardBuyer'" })) {
      const handle = temporal.workflow.getHandle(workflowId);
      texts.push(readable(await handle.describe()), JSON.stringify(await handle.query('state')));
    }
    clean(texts.join('\n'), SAYING);
  });

  test('failures that the LeadConduit client throws', async () => {
    const client = (baseUrl: string) =>
      new LeadConduitClient({ baseUrl, apiKey: KEY, timeoutMs: 1_000, maxConcurrency: 3, maxListBytes: 1e6 });
    const permit = { slotUntil: Date.now() + 60_000, gate: () => undefined };
    const calls = Object.keys(ANSWERS).map(async (name) => {
      const invitation_id = newId();
      talkative.onAct.set(invitation_id, name);
      return client(talkative.url).createOnboard({ invitation_id }, permit);
    });
    const alone = client('http://127.0.0.1:1');
    const ends = await Promise.allSettled([...calls, alone.look(Date.now() + 5_000)]);
    const errors = ends.map((end) => (end.status === 'rejected' ? (end.reason as Error) : undefined));
    expect(errors).not.toContain(undefined);
    const texts = errors.flatMap((error) => [inspect(error, { depth: 20, showHidden: true }), JSON.stringify(error)]);
    clean(texts.join('\n'), SAYING);
  });

  test('the command lines of what runs', () => {
    const pids = [...children.map(({ pid }) => pid), up.worker.pid, up.temporal.pid];
    const lines = pids.map((pid) => {
      try {
        return readFileSync(`/proc/${pid ?? ''}/cmdline`, 'utf8');
      } catch {
        return ''; // It has ended.
      }
    });
    clean(lines.join('\n'), 'worker.js');
  });

  test("every file: what the programs said, Temporal's database and log, the emulator's records, what our API and console answered", async () => {
    // Stopped, it has written everything.
    children[0]?.kill('SIGTERM');
    await once(children[0]!, 'exit');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      statSync(at(name)).isFile(),
    );
    const texts = new Map(files.map((name) => [name, readFileSync(at(name), 'latin1')]));
    const kinds = {
      ...{ 'up.log': 'worker', 'emulator.log': 'Worker ready', 'emulator.jsonl': '"created"', '.db': SAYING },
      ...{ 'answers-api.log': SAYING, 'answers-console.log': SAYING },
    };
    for (const [end, control] of Object.entries(kinds))
      expect([...texts].filter(([name, text]) => name.endsWith(end) && text.includes(control))).not.toEqual([]);
    expect([...texts].filter(([, text]) => traces(text).length > 0).map(([name]) => name)).toEqual([]);
  });
});
