import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from './environment';

/** A process, identified by more than its pid, which the system reuses. */
export interface ProcessId {
  pid: number;
  born: string;
}

/** When a process began, in the system's own units; undefined when it has ended, even if its parent has not noticed. */
export function bornAt(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? undefined : fields[18];
  } catch {
    if (process.platform === 'linux') return undefined;
  }
  const { stdout } = spawnSync('/bin/ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8', env: {} });
  const found = /^(\S+)\s+(.+)$/.exec(stdout.trim());
  return found === null || found[1]!.startsWith('Z') ? undefined : found[2];
}

/** Names the place in which our pids are valid: one boot of one system, and one pid namespace (a container has its own). If
 *  that cannot be found out, this process has a place of its own. */
export const PLACE = ((): string => {
  if (process.platform !== 'linux') return hostname();
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return randomUUID();
  }
})();

export const isAlive = ({ pid, born }: ProcessId): boolean => bornAt(pid) === born;

/** Signals the process and all that it started, as a group; does nothing when the process has ended. */
export function signalGroup(target: ProcessId, signal: NodeJS.Signals): void {
  if (!isAlive(target)) return;
  try {
    process.kill(-target.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Asks the process to end and waits; after `graceMs` it is killed. Calls `onWait` once, after 2 s of waiting. */
export async function endProcess(target: ProcessId, graceMs: number, onWait?: () => void): Promise<void> {
  const since = Date.now();
  signalGroup(target, 'SIGTERM');
  let told = false;
  while (isAlive(target)) {
    const waited = Date.now() - since;
    if (waited >= graceMs) signalGroup(target, 'SIGKILL');
    if (waited >= 2_000 && !told) onWait?.();
    told ||= waited >= 2_000;
    await sleep(50);
  }
}

export interface ChildSpec {
  name: string;
  command: string;
  args: string[];
  env: Environment;
  cwd?: string;
  /** Output is appended to it. It is a file, not a pipe, so that the child goes on when its parent is killed. */
  logFile: string;
}

export interface Child extends ProcessId {
  name: string;
  logFile: string;
  /** Resolves to how the process ended, in words. */
  ended: Promise<string>;
  /** What the process has written since it was started. */
  output(): string;
}

/** A process ended early, or was not ready in time. The message has its last words, and where the rest is. */
export class ChildFailed extends Error {
  override readonly name = 'ChildFailed';
  constructor(child: Pick<Child, 'name' | 'logFile' | 'output'>, what: string) {
    super(`${child.name} ${what}.${lastWords(child)}`);
  }
}

/** What it wrote last, and where the rest is. */
export function lastWords({ logFile, output }: Pick<Child, 'logFile' | 'output'>): string {
  const lines = output().trim().split('\n');
  // A Go program that panics says why first, and then where, at length.
  const panic = lines.findLastIndex((line) => /^(panic|fatal error): /.test(line));
  const told = panic < 0 ? lines.slice(-15) : lines.slice(panic, panic + 5);
  const last = told[0] === '' ? '' : ` It wrote last:\n${told.map((line) => `  ${line}`).join('\n')}\n`;
  return `${last || ' '}Its log: ${logFile}`;
}

/** Starts a process in a group of its own, so that a Ctrl-C at the terminal reaches only its parent.
 *  @throws {ChildFailed} when the command cannot be run */
export function startChild({ name, command, args, env, cwd, logFile }: ChildSpec): Child {
  const log = openSync(logFile, 'a', 0o600);
  const from = fstatSync(log).size;
  const output = () => readFileSync(logFile).subarray(from).toString();
  const child = spawn(command, args, { env, cwd, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `with exit code ${code ?? 0}` : `by ${signal}`));
  });
  if (child.pid === undefined) throw new ChildFailed({ name, logFile, output }, `cannot be started: ${command}`);
  return { name, logFile, pid: child.pid, born: bornAt(child.pid) ?? 'ended', ended, output };
}
