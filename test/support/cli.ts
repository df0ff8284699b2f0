import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { transformFileSync } from '@swc/core';
import type { World } from './world';

const root = join(__dirname, '..', '..');

/** The sources as they are now, compiled once for all test files; returns the folder. */
function compiled(): string {
  const folder = join(process.env.TEST_FOLDER ?? '', 'cli');
  if (existsSync(folder)) return folder;
  const fresh = `${folder}-${process.pid}`;
  const source = join(root, 'src');
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  for (const name of files) {
    const { code } = transformFileSync(join(source, name), {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'commonjs' },
    });
    const file = join(fresh, name.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, code);
  }
  symlinkSync(join(root, 'node_modules'), join(fresh, 'node_modules'));
  try {
    renameSync(fresh, folder);
  } catch {
    // Another test file was faster.
    rmSync(fresh, { recursive: true, force: true });
  }
  return folder;
}

export interface Ended {
  code: number | null;
  out: string;
  err: string;
  /** Standard output as JSON. */
  json: () => unknown;
}

type Environment = Record<string, string | undefined>;

/** The settings that find a world's Temporal server and task queue. */
const environmentOf = ({ config }: World): Environment => ({
  TEMPORAL_ADDRESS: process.env.TEST_TEMPORAL_ADDRESS,
  ONBOARDS_TASK_QUEUE: config.taskQueue,
  ONBOARDS_SETTLE: `${config.settleMs}ms`,
  ONBOARDS_CONFIRM: `${config.confirmMs}ms`,
  LEADCONDUIT_TIMEOUT: `${config.leadconduit.timeoutMs}ms`,
});

/** `onboards …` as a process of its own, which gets nothing of this one's environment but what is named. */
export class Cli {
  private readonly env: Environment;

  constructor(world: World, env: Environment = {}) {
    this.env = { ...environmentOf(world), PATH: process.env.PATH, TZ: 'UTC', ...env };
  }

  start(...args: string[]): ChildProcess {
    const folder = compiled();
    return spawn(process.execPath, [join(folder, 'starter.js'), ...args], this.options(folder));
  }

  /** A folder without a `.env` or a `.data` of ours, a home without a profile of Temporal's. */
  private options(cwd: string): SpawnOptions {
    return { cwd, env: { ...this.env, HOME: cwd }, stdio: 'pipe' };
  }

  run(...args: string[]): Promise<Ended> {
    return this.runWith('', ...args);
  }

  /** On a pseudo-terminal, whose output is standard output and standard error in one. */
  onTerminal(typed: string, ...args: string[]): Promise<Ended> {
    const folder = compiled();
    const command = [process.execPath, join(folder, 'starter.js'), ...args].map((arg) => `'${arg}'`).join(' ');
    const child = spawn('script', ['-qec', command, '/dev/null'], this.options(folder));
    child.stdout?.on('data', (chunk) => {
      if (String(chunk).includes('[yes/no]')) child.stdin?.write(typed);
    });
    return ended(child);
  }

  runWith(stdin: string, ...args: string[]): Promise<Ended> {
    const child = this.start(...args);
    child.stdin?.end(stdin);
    return ended(child);
  }
}

export function ended(child: ChildProcess): Promise<Ended> {
  let [out, err] = ['', ''];
  child.stdout?.on('data', (chunk) => (out += String(chunk)));
  child.stderr?.on('data', (chunk) => (err += String(chunk)));
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, out, err, json: () => JSON.parse(out) as unknown }));
  });
}
