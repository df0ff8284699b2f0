import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { World } from './world';

/** The real worker as a process of its own, built by the command that runs the tests, on the queue of a world.
 *  @throws when it ends before it is ready. */
export async function spawnWorker(
  { config, emulator }: World,
  env: Record<string, string> = {},
): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(__dirname, '..', '..', 'dist', 'worker.js')], {
    // A folder without a `.env`.
    cwd: process.env.TEST_FOLDER,
    env: {
      PATH: process.env.PATH,
      TEMPORAL_ADDRESS: process.env.TEST_TEMPORAL_ADDRESS,
      LEADCONDUIT_API_KEY: config.leadconduit.apiKey,
      LEADCONDUIT_BASE_URL: emulator.url,
      LEADCONDUIT_TIMEOUT: `${config.leadconduit.timeoutMs}ms`,
      ONBOARDS_SETTLE: `${config.settleMs}ms`,
      ONBOARDS_TASK_QUEUE: config.taskQueue,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) if (line.startsWith('Worker ready')) return child;
  const [code, signal] = await exit;
  throw new Error(`the worker ended before it was ready: ${signal ?? `code ${code}`}`);
}

/** Kills a process of ours and waits until it is gone. */
export async function kill9(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
