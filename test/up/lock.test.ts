/** Who has the data folder: real processes, some in a namespace of process ids of their own, as a container's are. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { bornAt } from '../../src/processes';

const started: ChildProcess[] = [];
const folders: string[] = [];
afterAll(() => {
  for (const { pid, exitCode } of started) if (exitCode === null && pid !== undefined) kill(pid, 'SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
/** A lock of the test's own: they run at the same time, since most of them wait. */
function newLock(): string {
  const folder = mkdtempSync(join(tmpdir(), 'onboards-lock-'));
  folders.push(folder);
  return join(folder, 'lock');
}
/** It, and what it runs in a namespace. */
function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
}

const ELSEWHERE = ['unshare', ...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'])];
/** With a process-id namespace of its own, as in another container. */
const ANOTHER = [...ELSEWHERE, '--pid', '--fork', '--mount-proc', '--kill-child'];

function taker(file: string, ...within: string[]) {
  const program = [
    process.execPath,
    join(__dirname, '..', '..', 'scripts', 'typescript.mjs'),
    join(__dirname, '..', 'support', 'hold-lock.ts'),
    file,
  ];
  const [command = '', ...args] = [...within, ...program];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  started.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    pid: child.pid!,
    ended: once(child, 'exit'),
    says: async () => ((await lines.next()) as { value?: string }).value,
  };
}
const holderOf = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as { pid: number; token: string };

test.concurrent('one at a time; free again after a release, and at once after a kill', async () => {
  const file = newLock();
  const first = taker(file);
  expect(await first.says()).toBe('mine');
  const second = taker(file);
  expect(await second.says()).toBe(`held by ${first.pid}`);
  kill(second.pid, 'SIGKILL');
  expect(holderOf(file).pid).toBe(first.pid);

  kill(first.pid, 'SIGKILL');
  await first.ended;
  const third = taker(file);
  expect(await third.says()).toBe('mine');
  kill(third.pid, 'SIGTERM');
  await third.ended;
  expect(existsSync(file)).toBe(false);
});

test.concurrent('of many who find a dead one, one gets it', async () => {
  const file = newLock();
  writeFileSync(file, JSON.stringify({ pid: 2 ** 30, born: '1' }));
  const words = await Promise.all(Array.from({ length: 6 }, () => taker(file).says()));
  expect(words.filter((word) => word === 'mine')).toHaveLength(1);
  expect(words.filter((word) => word === `held by ${holderOf(file).pid}`)).toHaveLength(5);
});

test.concurrent(
  'a holder in another container is believed while it touches the lock, and not by the number of its process',
  async () => {
    const file = newLock();
    const there = taker(file, ...ANOTHER);
    expect(await there.says()).toBe('mine');
    const { pid, token } = holderOf(file);
    expect(pid).toBeLessThan(there.pid);
    const here = taker(file);
    expect(await here.says()).toMatch(/^Waiting for up to 10 s .*in another container or on another machine$/);
    expect(await here.says()).toBe(`held by ${pid}`);
    expect(holderOf(file).token).toBe(token);

    kill(there.pid, 'SIGKILL');
    await there.ended;
    const next = taker(file);
    expect(await next.says()).toMatch(/^Waiting/);
    expect(await next.says()).toBe('mine');
    expect(holderOf(file).token).not.toBe(token);
  },
);

test.concurrent(
  'a holder that was frozen until another container took its lock says so, ends, and removes nothing',
  async () => {
    const file = newLock();
    const frozen = taker(file);
    expect(await frozen.says()).toBe('mine');
    kill(frozen.pid, 'SIGSTOP');
    const there = taker(file, ...ANOTHER);
    expect(await there.says()).toMatch(/^Waiting/);
    expect(await there.says()).toBe('mine');
    const { token } = holderOf(file);
    kill(frozen.pid, 'SIGCONT');
    expect(await frozen.says()).toMatch(/^lost: it is held by pid \d+ on .*, in another container/);
    expect(await frozen.ended).toEqual([1, null]);
    expect(bornAt(there.pid)).toBeDefined();
    expect(holderOf(file).token).toBe(token);
  },
);

test.concurrent("a lock that was cut short by a full disk is waited for, and then is nobody's", async () => {
  const file = newLock();
  writeFileSync(file, '');
  const one = taker(file);
  expect(await one.says()).toMatch(/^Waiting/);
  expect(await one.says()).toBe('mine');
});
