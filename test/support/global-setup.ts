import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadEnvironment } from '../../src/environment';
import { findTemporal } from '../../src/temporal/find-cli';
import { startTemporal } from '../../src/temporal/dev-server';
import { findChromium } from './browser';

const root = join(__dirname, '..', '..');

/** One Temporal server, one process of emulators and one bundle of the workflows for all test files, which find them in the environment. */
export default async function globalSetup(): Promise<void> {
  const env = loadEnvironment();
  const folder = mkdtempSync(join(tmpdir(), 'onboards-test-'));
  const cli = await findTemporal({ env, cliPath: env.TEMPORAL_CLI_PATH, say: (what) => console.error(what) });
  const bundlePath = join(folder, 'workflow-bundle.js');
  const bundled = bundle(bundlePath);
  bundled.catch(() => undefined);
  const emulators = await startEmulators();
  const server = await startTemporal({ cli, env, port: 0, logFile: join(folder, 'temporal.log') });
  await bundled.catch(async (error: unknown) => {
    await server.stop();
    throw error;
  });
  Object.assign(process.env, {
    TEST_CHROMIUM: findChromium((what) => console.error(what)) ?? '',
    TEST_EMULATORS: emulators,
    TEST_FOLDER: folder,
    TEST_TEMPORAL_CLI: cli,
    TEST_TEMPORAL_ADDRESS: server.address,
    TEST_TEMPORAL_PID: String(server.pid),
    TEST_WORKFLOW_BUNDLE: bundlePath,
  });
  // When it is interrupted, Jest does not run its teardown.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      process.kill(server.pid, 'SIGKILL');
      process.exit(1);
    });
}

/** @returns their address; they end with this process. */
async function startEmulators(): Promise<string> {
  const child = fork(join(root, 'scripts', 'typescript.mjs'), [join(__dirname, 'emulators.ts')]);
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('The emulators cannot be started: see above')));
  const [address] = (await Promise.race([once(child, 'message'), ended])) as [string];
  ended.catch(() => undefined);
  child.unref();
  child.channel?.unref();
  return address;
}

/** In a process of its own: webpack's memory is given back before the tests run. */
async function bundle(file: string): Promise<void> {
  if (!existsSync(join(root, 'src', 'workflows', 'index.ts'))) return;
  const script = join(root, 'scripts', 'build.mjs');
  const child = spawn(process.execPath, [script, 'bundle', join(root, 'src'), file], { stdio: 'inherit' });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error('The workflows cannot be bundled: see above');
}
