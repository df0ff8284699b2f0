/** The settings: what is refused and in which words, and what each program is handed. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config';
import { environmentFor, loadEnvironment, takenAway, type Environment } from '../../src/environment';
import { ConfigError } from '../../src/config-error';
import { withoutSecrets } from '../../src/secrets';
import { upstreamOf } from '../../src/upstream';

test.each([
  ['LEADCONDUIT_TIMEOUT', '11m', '1ms to 10m'],
  ['LEADCONDUIT_TIMEOUT', '0', '1ms to 10m'],
  ['ONBOARDS_SETTLE', '25h', '1ms to 1d'],
  ['ONBOARDS_CONFIRM', '31d', '0 to 30d'],
  ['ONBOARDS_CONFIRM', 'soon', '0 to 30d'],
])('%s=%s is refused with what is accepted', (setting, text, bounds) => {
  const load = () => loadConfig({ [setting]: text });
  expect(load).toThrow(ConfigError);
  expect(load).toThrow(`${setting} must be a duration from ${bounds}, such as`);
});

test('ONBOARDS_PUBLIC_URL is an address without a path', () => {
  const publicUrl = (ONBOARDS_PUBLIC_URL: string) => loadConfig({ ONBOARDS_PUBLIC_URL }).api.publicUrl;
  expect(publicUrl('https://Onboards.example:443/')).toBe('https://onboards.example');
  for (const wrong of [
    'onboards.example',
    'ftp://onboards.example',
    'https://a@onboards.example',
    'https://o.example/on',
  ])
    expect(() => publicUrl(wrong)).toThrow(/ONBOARDS_PUBLIC_URL must be an http:\/\/ or https:\/\/ address/);
});

test('TEMPORAL_UI_URL, which pages show, has no user', () => {
  const load = (TEMPORAL_UI_URL: string) => loadConfig({ TEMPORAL_UI_URL }).api.temporalUi;
  expect(load('https://ui.example/')).toBe('https://ui.example');
  expect(() => load('https://ann:secret-of-hers@ui.example')).toThrow(/TEMPORAL_UI_URL must have no user$/);
});

test('a key is hidden however short it is, and words that hold it stay', () => {
  loadEnvironment({ LEADCONDUIT_API_KEY: 'k3y' }, '/dev/null');
  expect(withoutSecrets('the key k3y, "k3y" and k3ys')).toBe('the key ***, "***" and k3ys');
});

describe('a setting that is empty in the environment', () => {
  const KEY = 'key-of-the-account';
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'onboards-config-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const over = (lines: string, env: Environment) => {
    writeFileSync(join(folder, '.env'), lines);
    return loadEnvironment(env, join(folder, '.env'));
  };

  test.each([
    [{ LEADCONDUIT_API_KEY: '' }, `LEADCONDUIT_API_KEY=${KEY}`],
    [{ LEADCONDUIT_API_KEY: ' ' }, `LEADCONDUIT_API_KEY=${KEY}`],
    [{ LEADCONDUIT_API_KEY: '' }, 'LEADCONDUIT_API_KEY_FILE=key'],
    [{ LEADCONDUIT_API_KEY_FILE: '' }, `LEADCONDUIT_API_KEY=${KEY}`],
  ])('%j takes that of a `.env` away, here and in a program started from here', (env, lines) => {
    const here = over(lines, env);
    expect(upstreamOf(loadConfig(here))).toBe('emulator');
    for (const program of ['worker', 'api'] as const) {
      const there = over(lines, { ...takenAway(env), ...environmentFor(program, here) });
      expect(upstreamOf(loadConfig(environmentFor(program, there)))).toBe('emulator');
    }
  });

  test("what the environment says nothing of is the file's", () => {
    expect(over(`LEADCONDUIT_API_KEY=${KEY}\nPORT=1`, { PORT: '2', HOST: '' })).toEqual({
      LEADCONDUIT_API_KEY: KEY,
      PORT: '2',
    });
  });
});

test.each(['q'.repeat(201), 'a\u001b[2Jb', 'a\nb', 'a\u2028b'])(
  'ONBOARDS_TASK_QUEUE=%j is refused',
  (ONBOARDS_TASK_QUEUE) => {
    expect(() => loadConfig({ ONBOARDS_TASK_QUEUE })).toThrow(/^Wrong settings:\n {2}ONBOARDS_TASK_QUEUE [^\n]+$/);
  },
);

test.each([
  ['up', ['--port', 'secret-of-ours'], 2],
  ['worker', ['--help', 'secret-of-ours'], 2],
  ['http/server', ['secret-of-ours'], 2],
  ['emulator/serve', ['--help'], 0],
] as const)('%s %j does nothing and says that it has settings', (program, args, status) => {
  const cwd = mkdtempSync(join(tmpdir(), 'onboards-arguments-'));
  const path = join(__dirname, '..', '..', 'dist', `${program}.js`);
  const run = spawnSync(process.execPath, [path, ...args], {
    cwd,
    encoding: 'utf8',
    env: { HOME: cwd },
    timeout: 20_000,
  });
  expect(run.status).toBe(status);
  const [said, other] = status === 0 ? [run.stdout, run.stderr] : [run.stderr, run.stdout];
  expect(said).toMatch(/^npm [^]*takes no arguments.*its settings are in the environment/);
  expect(said).not.toContain('secret-of-ours');
  expect([other, readdirSync(cwd)]).toEqual(['', []]);
  rmSync(cwd, { recursive: true });
});
