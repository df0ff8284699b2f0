/** Which Temporal a program talks to, with which credentials, and what it says of a file or an address that is wrong. */
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Connection } from '@temporalio/client';
import { ConfigError } from '../../src/config-error';
import { connectTemporal, temporalSettings, tlsWarning } from '../../src/temporal/connection';
import { writeUpFile } from '../../src/temporal/up-file';

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

const KEY_ALONE = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

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
        /^Temporal's metadata authorization .* would be sent without TLS, .*: set TEMPORAL_TLS=true, or remove the credential$/,
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
