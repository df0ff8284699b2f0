/**
 * `node scripts/typescript.mjs proof/measure/recovery.ts [times]`: a worker at the default settings is killed (-9) while LeadConduit
 * holds the answer to a create, and started again at once, as `npm start` does. It tells how long it takes until a worker acts
 * again, and until the outcome of that create is known, whether it took effect or not.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { OnboardsClient } from '../../src/client';
import { loadConfig } from '../../src/config';
import { loadEnvironment } from '../../src/environment';
import { startEmulator, type Emulator } from '../../src/emulator/serve';
import { endProcess, signalGroup, startChild, type Child } from '../../src/processes';
import { findTemporal } from '../../src/temporal/find-cli';
import { startTemporal, type TemporalServer } from '../../src/temporal/dev-server';
import { newId } from '../../src/emulator/ledger';

const worker = join(__dirname, '..', '..', 'dist', 'worker.js');

/** One worker on a queue of its own, killed once. */
class Trial {
  private child: Child | undefined;

  constructor(
    private readonly number: number,
    private readonly folder: string,
    private readonly server: TemporalServer,
    private readonly emulator: Emulator,
    private readonly connection: Connection,
  ) {}

  private get env() {
    const { address } = this.server;
    const ours = { TEMPORAL_ADDRESS: address, LEADCONDUIT_BASE_URL: this.emulator.url, LEADCONDUIT_API_KEY: 'key' };
    return { PATH: process.env.PATH, ...ours, ONBOARDS_TASK_QUEUE: `recovery-${this.number}` };
  }

  /** @returns ms until a worker acts again, and how to wait for the ms until the outcome is known. */
  async run(when: 'before' | 'after'): Promise<{ actsAgain: number; known: Promise<number> }> {
    const onboards = OnboardsClient.over(this.connection, 'default', loadConfig(this.env));
    this.startWorker();
    const [first, lost, next] = [newId(), newId(), newId()];
    // The list shows something that was created here: from then on absence proves something.
    await onboards.start({ invitation_id: first });
    await onboards.whenCreated({ invitation_id: first }, 60_000);
    await this.call('PUT', 'faults', [{ on: 'POST', when, do: 'hang', invitation_id: lost }]);
    await onboards.start({ invitation_id: lost });
    await this.untilPosted(lost);
    signalGroup(this.child!, 'SIGKILL');
    const since = Date.now();
    await this.child!.ended;
    this.startWorker();
    await onboards.start({ invitation_id: next });
    await this.untilPosted(next);
    return { actsAgain: Date.now() - since, known: this.untilKnown(onboards, lost, since) };
  }

  async close(): Promise<void> {
    if (this.child) await endProcess(this.child, 0);
  }

  private startWorker(): void {
    const logFile = join(this.folder, `worker-${this.number}.log`);
    this.child = startChild({ name: 'Worker', command: process.execPath, args: [worker], env: this.env, logFile });
  }

  private async untilKnown(onboards: OnboardsClient, invitation: string, since: number): Promise<number> {
    while ((await onboards.get(invitation).state()).record === null) await sleep(250);
    return Date.now() - since;
  }

  private async untilPosted(invitation: string): Promise<void> {
    for (;;) {
      const { invitations } = (await this.call('GET', 'ledger')) as { invitations: Record<string, unknown> };
      if (invitation in invitations) return;
      await sleep(10);
    }
  }

  private async call(method: string, what: string, body?: unknown): Promise<unknown> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return (await fetch(`${this.emulator.url}/_emulator/${what}`, { method, body: text })).json();
  }
}

function tell(what: string, times: number[]): void {
  const sorted = [...times].sort((a, b) => a - b).map((ms) => `${(ms / 1000).toFixed(1)} s`);
  const median = sorted[Math.floor(sorted.length / 2)] ?? '-';
  console.log(`${what.padEnd(44)}median ${median}, worst ${sorted.at(-1) ?? '-'}, of ${sorted.length}`);
}

async function main(): Promise<void> {
  const count = Number(process.argv[2] ?? 20);
  const folder = mkdtempSync(join(tmpdir(), 'onboards-recovery-'));
  const env = loadEnvironment();
  const cli = await findTemporal({ env, cliPath: env.TEMPORAL_CLI_PATH, say: (what) => console.error(what) });
  const logFile = join(folder, 'temporal.log');
  const server = await startTemporal({ cli, env, port: 0, logFile, dbFile: join(folder, 'temporal.db') });
  const emulator = await startEmulator({ port: 0 });
  const connection = await Connection.connect({ address: server.address });
  const trials: Trial[] = [];
  const actsAgain: number[] = [];
  const known = { after: [] as Promise<number>[], before: [] as Promise<number>[] };
  try {
    for (let n = 0; n < count; n += 1) {
      const trial = new Trial(n, folder, server, emulator, connection);
      trials.push(trial);
      const when = n % 2 === 0 ? 'after' : 'before';
      const came = await trial.run(when);
      actsAgain.push(came.actsAgain);
      known[when].push(came.known);
    }
    tell('a worker acts again', actsAgain);
    tell('the outcome is known, where it took effect', await Promise.all(known.after));
    tell('the outcome is known, where it did not', await Promise.all(known.before));
  } finally {
    await Promise.all(trials.map((trial) => trial.close()));
    await connection.close();
    await emulator.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
