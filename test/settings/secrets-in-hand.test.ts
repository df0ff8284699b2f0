/** A marked secret of every kind: which process is handed which, and what each prints when its use fails. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { readUpFile, type UpFile } from '../../src/temporal/up-file';
import { eventually } from '../support/api';

const root = join(__dirname, '..', '..');
const mark = (kind: string) => `Marked-${kind}-9f/+k="e&y%zQ`;
const LEADCONDUIT = { LEADCONDUIT_API_KEY: mark('leadconduit') };
const OURS = { ONBOARDS_API_KEY: mark('ours') };
const TEMPORAL = {
  TEMPORAL_API_KEY: mark('temporal'),
  TEMPORAL_GRPC_META_AUTHORIZATION: `Bearer ${mark('metadata')}`,
  TEMPORAL_TLS_CLIENT_KEY_DATA: `-----BEGIN PRIVATE KEY-----\n${mark('tls')}\n-----END PRIVATE KEY-----\n`,
  TEMPORAL_TLS_CLIENT_CERT_DATA: 'no certificate',
  TEMPORAL_CODEC_AUTH: mark('codec'),
};

/** Which marked secrets a text has, in any notation that a program could make of them. */
function traces(text: string): string[] {
  const readings = [text, text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))];
  const words = text.match(/[\w+/=-]{16,}/g) ?? [];
  readings.push(
    ...words.flatMap((word) => [0, 1, 2, 3].map((from) => Buffer.from(word.slice(from), 'base64').toString('latin1'))),
  );
  return [...new Set(readings.flatMap((each) => each.match(/marked-\w+-/gi) ?? []))].map((found) =>
    found.toLowerCase(),
  );
}

let folder: string;
let children: ChildProcess[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'onboards-hands-'));
  children = [];
});
afterEach(async () => {
  for (const child of children)
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
  rmSync(folder, { recursive: true, force: true });
});

interface Run {
  child: ChildProcess;
  said: () => string;
}
function run(program: string, env: Record<string, string | undefined>, ...args: string[]): Run {
  const path = join(root, 'dist', `${program}.js`);
  const child = spawn(process.execPath, [path, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, ONBOARDS_DATA_DIR: join(folder, 'data'), ...env },
  });
  children.push(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)));
  return { child, said: () => said };
}
const ended = async ({ child }: Run) =>
  child.exitCode === null ? ((await once(child, 'exit')) as [number])[0] : child.exitCode;
/** What was written to files below the folder. */
const kept = () =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile() && name !== '.env')
    .map((name) => `${name}: ${readFileSync(join(folder, name), 'latin1')}`);

test.each([
  ['plain', (text: string) => text],
  ['percent-encoded', encodeURIComponent],
  ['in Base64', (text: string) => Buffer.from(`xx${text}`).toString('base64')],
])('the search itself finds a secret: %s', (_, write) => {
  expect(traces(`a ${write(mark('ours'))} b`)).toEqual(['marked-ours-']);
});

/** Of every process of `npm start`, by what it runs. */
function handed(pid: number): { hands: string; line: string } {
  return {
    hands: readFileSync(`/proc/${pid}/environ`, 'latin1'),
    line: readFileSync(`/proc/${pid}/cmdline`, 'latin1'),
  };
}

test.each([
  ['in the environment', true],
  ['in a `.env` of the folder that all of them run in', false],
])(
  'npm start with every secret %s: each process is handed those that it needs',
  async (_, inEnvironment) => {
    const settings: Record<string, string> = {
      ...LEADCONDUIT,
      ...OURS,
      TEMPORAL_CODEC_AUTH: TEMPORAL.TEMPORAL_CODEC_AUTH,
      TEMPORAL_GRPC_META_AUTHORIZATION: TEMPORAL.TEMPORAL_GRPC_META_AUTHORIZATION,
    };
    if (!inEnvironment)
      writeFileSync(
        join(folder, '.env'),
        Object.entries(settings)
          .map(([name, value]) => `${name}='${value}'\n`)
          .join(''),
      );
    const free = { LEADCONDUIT_BASE_URL: 'http://127.0.0.1:1', PORT: '0', TEMPORAL_PORT: '0', TEMPORAL_UI_PORT: '0' };
    const start = run('up', {
      ...free,
      TEMPORAL_CLI_PATH: process.env.TEST_TEMPORAL_CLI,
      ...(inEnvironment ? settings : {}),
    });
    let up: UpFile | undefined;
    // Five processes that start at once take a busy machine longer.
    const isUp = () => (up = readUpFile(join(folder, 'data'))) !== undefined || start.child.exitCode !== null;
    await eventually(() => Promise.resolve(isUp()), 50_000);
    const pids = { temporal: up?.temporal.pid ?? 0, worker: up?.worker.pid ?? 0, api: up?.api?.pid ?? 0 };
    const found = Object.entries(pids).map(([name, pid]) => [name, handed(pid)] as const);
    const temporals = ['marked-codec-', 'marked-metadata-'];
    expect(Object.fromEntries(found.map(([name, { hands }]) => [name, traces(hands).sort()]))).toEqual({
      temporal: [],
      worker: [...temporals, 'marked-leadconduit-'].sort(),
      api: [...temporals, 'marked-ours-'].sort(),
    });
    for (const [, { line }] of found) expect(traces(line)).toEqual([]);
    // It works with what it was handed.
    const authorization = `Basic ${btoa(`API:${OURS.ONBOARDS_API_KEY}`)}`;
    const answer = await fetch(`${up?.api?.url}/onboards`, { headers: { authorization } });
    expect([answer.status, await answer.text()]).toEqual([200, '[]']);
    start.child.kill('SIGTERM');
    await ended(start);
    expect(traces(start.said())).toEqual([]);
    expect(kept().filter((text) => traces(text).length > 0)).toEqual([]);
  },
  120_000,
);

/** A program of this name on the PATH that writes down what it was handed, and fails. */
function stub(name: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const script = `#!/bin/sh\n{ cat /proc/$$/environ /proc/$$/cmdline; echo; } >> ${join(folder, `handed-to-${name}`)}\necho "$0 failed" >&2\nexit 1\n`;
  writeFileSync(join(bin, name), script);
  chmodSync(join(bin, name), 0o755);
  return bin;
}

test('whatever fetches and tries a Temporal that is not here is handed none of our settings', async () => {
  const bin = stub('python3');
  const all = {
    ...LEADCONDUIT,
    ...OURS,
    TEMPORAL_CODEC_AUTH: TEMPORAL.TEMPORAL_CODEC_AUTH,
    PORT: '0',
    TEMPORAL_PORT: '0',
    TEMPORAL_UI_PORT: '0',
  };
  const nowhere = { HTTPS_PROXY: 'http://127.0.0.1:1', https_proxy: 'http://127.0.0.1:1' };
  const start = run('up', {
    ...all,
    ...nowhere,
    PATH: [bin, '/bin'].join(delimiter),
    XDG_CACHE_HOME: join(folder, 'cache'),
  });
  expect(await ended(start)).toBe(1);
  expect(start.said()).toContain('No Temporal server was found');
  const handedOn = readFileSync(join(folder, 'handed-to-python3'), 'latin1');
  expect(handedOn).toContain('pip');
  expect(handedOn).not.toMatch(/(LEADCONDUIT|ONBOARDS|TEMPORAL)_\w+=/);
  expect(traces(handedOn + start.said())).toEqual([]);
}, 60_000);

describe('what a program prints when Temporal cannot be had with them', () => {
  const line = {
    TEMPORAL_ADDRESS: process.env.TEST_TEMPORAL_ADDRESS,
    LEADCONDUIT_BASE_URL: 'http://127.0.0.1:1',
    ...LEADCONDUIT,
    ...OURS,
  };
  const profile = (text: string) => {
    writeFileSync(join(folder, 'temporal.toml'), text);
    return { TEMPORAL_CONFIG_FILE: join(folder, 'temporal.toml') };
  };
  const { TEMPORAL_API_KEY, TEMPORAL_TLS_CLIENT_KEY_DATA, TEMPORAL_TLS_CLIENT_CERT_DATA } = TEMPORAL;
  /** Else the connection fails before a key is sent. */
  const plain = { TEMPORAL_TLS: '0' };

  test('an API key with a line break at its end is used without it', async () => {
    const list = run('starter', { ...line, ...plain, TEMPORAL_API_KEY: `${TEMPORAL_API_KEY}\n` }, 'list', '--json');
    expect(await ended(list)).toBe(0);
    expect(JSON.parse(list.said())).toEqual(expect.any(Array));
  });

  const cases: [string, () => Record<string, string | undefined>][] = [
    [
      'an API key with a line break within',
      () => ({ ...plain, TEMPORAL_API_KEY: `${TEMPORAL_API_KEY}\n${TEMPORAL_API_KEY}` }),
    ],
    ['an API key that is no ASCII', () => ({ ...plain, TEMPORAL_API_KEY: `${TEMPORAL_API_KEY}ü` })],
    ['metadata that cannot be sent', () => ({ TEMPORAL_GRPC_META_X_TOKEN: `${mark('metadata')}\u0007` })],
    ['a TLS key that is none', () => ({ TEMPORAL_TLS_CLIENT_KEY_DATA, TEMPORAL_TLS_CLIENT_CERT_DATA })],
    [
      'the TLS key where its path belongs',
      () => ({ TEMPORAL_TLS_CLIENT_KEY_PATH: TEMPORAL_TLS_CLIENT_KEY_DATA, TEMPORAL_TLS_CLIENT_CERT_DATA }),
    ],
    [
      'a profile that is not well-formed',
      () => profile(`[profile.default]\napi_key = "${mark('temporal').replace('"', '')}\n`),
    ],
    [
      'a profile whose key has a line break',
      () =>
        profile(
          `[profile.default]\naddress = "127.0.0.1:1"\napi_key = "${mark('temporal').replace('"', '')}\\n\\u0007x"\n`,
        ),
    ],
    [
      'a profile whose key is a list',
      () => profile(`[profile.default]\napi_key = ["${mark('temporal').replace('"', '')}"]\n`),
    ],
  ];
  test.each(cases)(
    '%s',
    async (_, settings) => {
      const env = { ...line, ...settings() };
      const runs = [
        run('starter', env, 'list'),
        run('worker', env),
        run('http/server', { ...env, PORT: '0' }),
        run('up', { ...env, PORT: '0' }),
      ];
      const codes = await Promise.all(runs.map(ended));
      for (const [n, { said }] of runs.entries()) {
        expect(codes[n]).not.toBe(0);
        expect(said()).toMatch(/Temporal/);
        expect(said()).not.toMatch(/\n {4}at /);
        expect(traces(said())).toEqual([]);
      }
    },
    60_000,
  );
});

test('what installs and builds is handed none of our settings', () => {
  const bin = stub('npm');
  const project = join(folder, 'project');
  execFileSync('cp', [
    '-r',
    join(root, 'scripts'),
    join(root, 'run.mjs'),
    join(root, 'package.json'),
    join(root, 'package-lock.json'),
    `${folder}/`,
  ]);
  mkdirSync(project);
  for (const name of ['scripts', 'run.mjs', 'package.json', 'package-lock.json'])
    execFileSync('mv', [join(folder, name), project]);
  const env = { ...LEADCONDUIT, ...OURS, ...TEMPORAL, PATH: [bin, process.env.PATH].join(delimiter), HOME: folder };
  expect(() => execFileSync(process.execPath, [join(project, 'run.mjs'), 'up'], { env, stdio: 'pipe' })).toThrow(
    /could not be installed/,
  );
  expect(traces(readFileSync(join(folder, 'handed-to-npm'), 'latin1'))).toEqual([]);
});
