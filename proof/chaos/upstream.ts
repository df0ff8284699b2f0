/** LeadConduit in a crash run: the emulator in a process of its own, which nothing kills. What it has recorded counts. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ChildFailed, endProcess, isAlive, startChild, type Child } from '../../src/processes';
import { claimPort } from '../../src/temporal/ports';
import type { OnboardRecord } from '../../src/leadconduit/schema';
import { JournalFile, listOf, type Journal } from './journal';
import type { Fault } from './plan';

const program = join(__dirname, '..', '..', 'dist', 'emulator', 'serve.js');

export class Upstream {
  private readonly journalFile: JournalFile;

  private constructor(
    private readonly child: Child,
    readonly url: string,
    dataDir: string,
  ) {
    this.journalFile = new JournalFile(join(dataDir, 'emulator.jsonl'));
  }

  static async start(folder: string): Promise<Upstream> {
    const port = await claimPort(0, 'the emulator', 'EMULATOR_PORT');
    const dataDir = join(folder, 'emulator');
    const child = startChild({
      name: 'The emulator',
      command: process.execPath,
      args: [program],
      env: { PATH: process.env.PATH, EMULATOR_PORT: String(port), ONBOARDS_DATA_DIR: dataDir },
      logFile: join(folder, 'emulator.log'),
    });
    while (!child.output().includes('Emulator of LeadConduit')) {
      if (!isAlive(child)) throw new ChildFailed(child, `ended ${await child.ended}`);
      await sleep(50);
    }
    return new Upstream(child, `http://127.0.0.1:${port}`, dataDir);
  }

  plan(faults: Fault[]): Promise<unknown> {
    return this.emulate('PUT', 'faults', faults);
  }
  async faultsLeft(): Promise<Fault[]> {
    return (await this.emulate('GET', 'faults')) as Fault[];
  }
  set(options: { lag_ms?: number; down_ms?: number; key?: string | null }): Promise<unknown> {
    return this.emulate('PUT', 'options', options);
  }
  journal(): Journal {
    return this.journalFile.now();
  }
  /** What LeadConduit's own screen would show a person. */
  list(): OnboardRecord[] {
    return listOf(this.journal());
  }

  private async emulate(method: string, what: string, body?: unknown): Promise<unknown> {
    for (;;)
      try {
        const response = await fetch(`${this.url}/_emulator/${what}`, {
          method,
          body: body === undefined ? undefined : JSON.stringify(body),
        });
        return await response.json();
      } catch {
        await sleep(100); // down, as planned
      }
  }

  close(): Promise<void> {
    return endProcess(this.child, 2_000);
  }
}
