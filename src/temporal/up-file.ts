import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Config } from '../config';
import type { Environment } from '../environment';
import { bornAt } from '../processes';

const Pid = z.number().int().positive();
const UpFile = z.object({
  pid: Pid,
  started_at: z.string(),
  /** LeadConduit's address, or `emulator`. */
  upstream: z.string(),
  temporal: z.object({ address: z.string(), namespace: z.string(), ui: z.string().optional(), pid: Pid.optional() }),
  worker: z.object({ pid: Pid }),
  emulator: z.object({ url: z.string(), pid: Pid }).optional(),
  /** `key_file` has the key that was made; it is missing if keys are set by hand. */
  api: z.object({ url: z.string(), pid: Pid, key_file: z.string().optional() }).optional(),
  /** What clients have to know: the task queue of the worker, and the times that a run is started with. */
  settings: z
    .object({ task_queue: z.string(), settle_ms: z.number(), confirm_ms: z.number(), call_ms: z.number() })
    .optional(),
});
export type UpFile = z.output<typeof UpFile>;

const pathIn = (dataDir: string) => join(dataDir, 'up.json');

/** Where the parts of a running `npm start` are; undefined if none of its processes is left. */
export function readUpFile(dataDir: string): UpFile | undefined {
  let text;
  try {
    text = readFileSync(pathIn(dataDir), 'utf8');
  } catch {
    return undefined;
  }
  const { data: up } = UpFile.safeParse(parse(text));
  const pids = [up?.pid, up?.temporal.pid, up?.worker.pid, up?.emulator?.pid, up?.api?.pid];
  return pids.some((pid) => pid !== undefined && bornAt(pid) !== undefined) ? up : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Written by rename, so that a reader sees all of it, and only when everything is ready. */
export function writeUpFile(dataDir: string, up: UpFile): void {
  const fresh = `${pathIn(dataDir)}.${process.pid}`;
  writeFileSync(fresh, `${JSON.stringify(up, null, 2)}\n`, { mode: 0o600 });
  renameSync(fresh, pathIn(dataDir));
}

export const settingsFor = ({ taskQueue, settleMs, confirmMs, leadconduit }: Config): UpFile['settings'] => ({
  task_queue: taskQueue,
  settle_ms: settleMs,
  confirm_ms: confirmMs,
  call_ms: leadconduit.timeoutMs,
});

/** Takes over the settings of the `npm start` that runs, except those that this process has of its own. */
export function withSettingsOf(up: UpFile | undefined, config: Config, env: Environment): Config {
  if (up?.settings === undefined) return config;
  const { task_queue, settle_ms, confirm_ms, call_ms } = up.settings;
  const { leadconduit } = config;
  return {
    ...config,
    taskQueue: env.ONBOARDS_TASK_QUEUE === undefined ? task_queue : config.taskQueue,
    settleMs: env.ONBOARDS_SETTLE === undefined ? settle_ms : config.settleMs,
    confirmMs: env.ONBOARDS_CONFIRM === undefined ? confirm_ms : config.confirmMs,
    leadconduit: { ...leadconduit, timeoutMs: env.LEADCONDUIT_TIMEOUT === undefined ? call_ms : leadconduit.timeoutMs },
  };
}

export function removeUpFile(dataDir: string): void {
  rmSync(pathIn(dataDir), { force: true });
}
