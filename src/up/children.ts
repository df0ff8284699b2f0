import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ChildFailed,
  endProcess,
  isAlive,
  PLACE,
  signalGroup,
  startChild,
  type Child,
  type ChildSpec,
  type ProcessId,
} from '../processes';
import { writeWhole } from './data-folder';
import { keepRunning, type Kept } from './keep-running';

export const WORKER = 'The worker';
export const API = 'The API';

/** Longer than the API needs, which answers requests in flight within 12 s. */
const GRACE_MS = 14_000;

/** A process in another place, such as a container that shares the folder, cannot be ended from here. */
type Named = ProcessId & { name: string; place?: string };
type Say = (text: string) => void;

/** The child processes of `npm start`. Each is noted in a file as soon as it runs, so that the next run can end what a
 *  kill -9 leaves. */
export class Children {
  private readonly running: Child[] = [];
  private readonly kept = new Set<string>();
  private isEnding = false;
  private fail!: (error: Error) => void;
  /** Rejects when a child ends before it was ever ready. */
  readonly unexpectedEnd = new Promise<never>((_resolve, reject) => (this.fail = reject));

  /** @param workerGraceMs how long a call that the worker has in flight may take to end */
  constructor(
    private readonly file: string,
    private readonly workerGraceMs: number,
  ) {
    this.unexpectedEnd.catch(() => undefined);
  }

  /** Starts a child. Until `keep` is called for it, its end fails the whole start. */
  readonly start = (spec: ChildSpec): Child => {
    if (this.isEnding) throw new Error(`${spec.name} is not started: everything is being stopped`);
    const child = startChild(spec);
    // A replacement also takes its predecessor's place in the order in which children are ended.
    const before = this.running.findIndex(({ name }) => name === spec.name);
    this.running.splice(before < 0 ? this.running.length : before, before < 0 ? 0 : 1, child);
    void child.ended.then((how) => {
      if (!this.isEnding && !this.kept.has(spec.name)) this.fail(new ChildFailed(child, `ended ${how}`));
    });
    try {
      this.note();
    } catch (error) {
      // A child that the next run would not find must not stay.
      signalGroup(child, 'SIGKILL');
      throw error;
    }
    return child;
  };

  /** To be called when it is ready: from then on a replacement is started whenever it ends. */
  keep(kept: Kept): void {
    this.kept.add(kept.spec.name);
    keepRunning(this, kept).catch(this.fail);
  }

  readonly areEnding = (): boolean => this.isEnding;

  private note(): void {
    const named = this.running.map(({ name, pid, born }) => ({ name, pid, born, place: PLACE }));
    writeWhole(this.file, named);
  }

  /** Ends the last one started first. */
  async end(say: Say): Promise<void> {
    this.isEnding = true;
    await this.endAll(this.running, say);
  }

  /** Ends what the last run left behind when it was killed. */
  async endLeftovers(say: Say): Promise<void> {
    const left = readNamed(this.file).filter(({ place = PLACE, ...id }) => place === PLACE && isAlive(id));
    if (left.length > 0)
      say(
        `The last npm start was killed. Ending the processes that it left: ${left.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ')}`,
      );
    await this.endAll(left, say);
    rmSync(this.file, { force: true });
  }

  kill(): void {
    this.isEnding = true;
    for (const child of this.running) signalGroup(child, 'SIGKILL');
  }

  private async endAll(started: readonly Named[], say: Say): Promise<void> {
    for (const child of [...started].reverse()) {
      const isWorker = child.name === WORKER;
      const why = isWorker ? ': a call to LeadConduit that is under way is finished first' : '';
      await endProcess(child, isWorker ? this.workerGraceMs : GRACE_MS, () =>
        say(`${child.name} is still ending${why} (Ctrl-C again ends everything at once)`),
      );
    }
  }
}

function readNamed(file: string): Named[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Named[];
  } catch {
    return [];
  }
}

/** @throws {ChildFailed} when the condition is not met in time. `unexpectedEnd` reports an early end of the child. */
export async function waitFor(child: Child, what: string, limitMs: number, isReady: () => boolean | Promise<boolean>) {
  const since = Date.now();
  while (!(await isReady())) {
    if (Date.now() - since > limitMs) throw new ChildFailed(child, `${what} in ${limitMs / 1000} s`);
    await sleep(50);
  }
}
