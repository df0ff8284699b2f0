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

/** The API answers what is under way within 12 s. */
const GRACE_MS = 14_000;

/** Processes of another place, such as a container that shares the folder, cannot be ended from here. */
type Named = ProcessId & { name: string; place?: string };
type Say = (text: string) => void;

/** What `npm start` runs. It is noted in a file as soon as it runs, so that the next run can end what a kill -9 leaves. */
export class Children {
  private readonly running: Child[] = [];
  private readonly kept = new Set<string>();
  private isEnding = false;
  private fail!: (error: Error) => void;
  /** Rejects when one ends that has never been ready. */
  readonly unexpectedEnd = new Promise<never>((_resolve, reject) => (this.fail = reject));

  /** @param workerGraceMs how long a call that the worker has under way can take to its own end */
  constructor(
    private readonly file: string,
    private readonly workerGraceMs: number,
  ) {
    this.unexpectedEnd.catch(() => undefined);
  }

  /** Until it is kept, its end is the failure of the start. */
  readonly start = (spec: ChildSpec): Child => {
    if (this.isEnding) throw new Error(`${spec.name} is not started: everything is being stopped`);
    const child = startChild(spec);
    // Who takes another's place takes its place in the order of the ends, too.
    const before = this.running.findIndex(({ name }) => name === spec.name);
    this.running.splice(before < 0 ? this.running.length : before, before < 0 ? 0 : 1, child);
    void child.ended.then((how) => {
      if (!this.isEnding && !this.kept.has(spec.name)) this.fail(new ChildFailed(child, `ended ${how}`));
    });
    try {
      this.note();
    } catch (error) {
      // One that the next run would not find must not stay.
      signalGroup(child, 'SIGKILL');
      throw error;
    }
    return child;
  };

  /** It has been ready: from now on another one takes its place whenever it ends. */
  keep(kept: Kept): void {
    this.kept.add(kept.spec.name);
    keepRunning(this, kept).catch(this.fail);
  }

  readonly areEnding = (): boolean => this.isEnding;

  private note(): void {
    const named = this.running.map(({ name, pid, born }) => ({ name, pid, born, place: PLACE }));
    writeWhole(this.file, named);
  }

  /** The last one started is ended first. */
  async end(say: Say): Promise<void> {
    this.isEnding = true;
    await this.endAll(this.running, say);
  }

  /** What the last run left behind when it was killed. */
  async endLeftovers(say: Say): Promise<void> {
    const left = readNamed(this.file).filter(({ place = PLACE, ...id }) => place === PLACE && isAlive(id));
    if (left.length > 0)
      say(
        `The last npm start was killed; ending what it left: ${left.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ')}`,
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

/** @throws {ChildFailed} when the condition has not come in time. Its early end is seen by `unexpectedEnd`. */
export async function waitFor(child: Child, what: string, limitMs: number, isReady: () => boolean | Promise<boolean>) {
  const since = Date.now();
  while (!(await isReady())) {
    if (Date.now() - since > limitMs) throw new ChildFailed(child, `${what} in ${limitMs / 1000} s`);
    await sleep(50);
  }
}
