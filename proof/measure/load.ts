/**
 * `node scripts/typescript.mjs proof/measure/load.ts [seconds]`: how many `POST /onboards` `npm start` sustains, and what becomes
 * of four times as many for a minute. Each tenth invitation is sent twice at once. The emulator's ledger is the judge.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readUpFile, type UpFile } from '../../src/temporal/up-file';
import type { Effects } from '../chaos/journal';

const SECONDS = Number(process.argv[2] ?? 60);
const WARM_S = 5;
const HELD_S = 20;
const AT_ONCE = 64;
const TIMES = 4;
const MB = 1024 * 1024;

const newId = () => randomBytes(12).toString('hex');
const rate = (count: number, seconds: number) => `${(count / seconds).toFixed(1)} a second`;
function quantile(sorted: number[], share: number): string {
  return `${((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) / 1000).toFixed(2)} s`;
}

class Line {
  readonly answers = new Map<string, number[]>();
  readonly accepted = new Set<string>();
  readonly asked = new Set<string>();

  constructor(
    readonly up: UpFile,
    private readonly key: string,
  ) {}

  async post(invitation_id: string): Promise<void> {
    this.asked.add(invitation_id);
    const since = Date.now();
    const answer = await fetch(`${this.up.api!.url}/onboards`, {
      method: 'POST',
      body: JSON.stringify({ invitation_id }),
      headers: { authorization: `Basic ${btoa(`API:${this.key}`)}`, 'content-type': 'application/json' },
    }).then(
      async (response) => {
        await response.arrayBuffer();
        return String(response.status);
      },
      () => 'no answer',
    );
    if (answer === '201' || answer === '202') this.accepted.add(invitation_id);
    this.answers.set(answer, [...(this.answers.get(answer) ?? []), Date.now() - since]);
  }

  rss(): number {
    const pages = Number(readFileSync(`/proc/${this.up.api!.pid}/statm`, 'utf8').split(' ')[1]);
    return (pages * 4_096) / MB;
  }

  async ledger(): Promise<Record<string, Effects>> {
    const response = await fetch(`${this.up.emulator!.url}/_emulator/ledger`);
    return ((await response.json()) as { invitations: Record<string, Effects> }).invitations;
  }
}

async function closedLoop(line: Line, seconds: number): Promise<number> {
  const until = Date.now() + seconds * 1_000;
  let count = 0;
  const client = async () => {
    while (Date.now() < until) {
      await line.post(newId());
      if (Date.now() < until) count += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  return count;
}

async function openLoop(line: Line, perSecond: number, seconds: number, each: () => void): Promise<void> {
  const since = Date.now();
  const calls: Promise<void>[] = [];
  for (let n = 0; n < perSecond * seconds; n += 1) {
    const due = since + (n / perSecond) * 1_000;
    if (due > Date.now()) await sleep(due - Date.now());
    if (n % Math.ceil(perSecond) === 0) each();
    const id = newId();
    calls.push(line.post(id));
    if (n % 10 === 0) calls.push(line.post(id.toUpperCase()));
  }
  await Promise.all(calls);
}

async function main(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'onboards-load-'));
  const ports = { PORT: '0', TEMPORAL_PORT: '0', TEMPORAL_UI_PORT: '0', EMULATOR_PORT: '0' };
  const env = { ...process.env, ...ports, ONBOARDS_DATA_DIR: join(folder, 'data') };
  const child = spawn(process.execPath, [join(__dirname, '..', '..', 'run.mjs'), 'up'], { env, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    let up: UpFile | undefined;
    while (!(up = readUpFile(join(folder, 'data')))) await sleep(100);
    const key = readFileSync(up.api!.key_file!, 'utf8').trim();
    await closedLoop(new Line(up, key), WARM_S);
    const held = await closedLoop(new Line(up, key), HELD_S);
    console.log(`held: ${rate(held, HELD_S)}, ${AT_ONCE} at once`);

    const line = new Line(up, key);
    const memory: number[] = [];
    const perSecond = (TIMES * held) / HELD_S;
    await openLoop(line, perSecond, SECONDS, () => memory.push(line.rss()));
    console.log(`sent: ${rate(line.asked.size, SECONDS)} for ${SECONDS} s`);
    for (const [answer, times] of line.answers) {
      const sorted = times.sort((a, b) => a - b);
      console.log(`  ${answer}: ${sorted.length}, median ${quantile(sorted, 0.5)}, 99% ${quantile(sorted, 0.99)}`);
    }
    const third = Math.floor(memory.length / 3);
    const mean = (part: number[]) => (part.reduce((sum, one) => sum + one, 0) / part.length).toFixed(0);
    console.log(
      `memory of the API: ${mean(memory.slice(0, third))} MB in the first third, ${mean(memory.slice(-third))} MB in the last`,
    );

    const ids = [...new Set([...line.accepted].map((id) => id.toLowerCase()))];
    const isCreated = async () => {
      const ledger = await line.ledger();
      return ids.every((id) => (ledger[id]?.creates ?? 0) >= 1);
    };
    for (const until = Date.now() + 120_000; !(await isCreated()) && Date.now() < until;) await sleep(1_000);
    const ledger = await line.ledger();
    const lost = ids.filter((id) => (ledger[id]?.creates ?? 0) === 0).length;
    const doubled = Object.values(ledger).filter(({ creates }) => creates > 1).length;
    console.log(`accepted: ${ids.length}; lost: ${lost}; doubled: ${doubled}`);
    return lost === 0 && doubled === 0;
  } finally {
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

void main().then((isKept) => (process.exitCode = isKept ? 0 : 1));
