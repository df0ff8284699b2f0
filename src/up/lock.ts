import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { bornAt, isAlive, PLACE, type ProcessId } from '../processes';

/** Its holder touches the lock, so that those who cannot see its process see that it lives. */
const TOUCH_MS = 2_000;
/** Counted looks, not a time: no two machines' clocks are compared, and one that slept has missed nothing. */
const LOOKS = 20;
const LOOK_MS = 500;

export interface Holder extends ProcessId {
  token: string;
  host: string;
  place: string;
}

export interface Lock {
  isHeld(): boolean;
  /** Rejects when somebody else has taken it. */
  lost: Promise<never>;
  release(): void;
}

/** The folder was given to another process while this one did not touch its lock. */
export class LockLost extends Error {
  override readonly name = 'LockLost';
}

interface Seen {
  text: string;
  touched: bigint;
  holder: Partial<Holder>;
}

/** Takes the lock for this process, or says who has it. A holder in this place (one boot, one namespace of process ids) is
 *  judged by its process, so that a restart after a kill works at once; any other one by whether the lock is touched.
 *  @param say hears why this takes long
 *  @param signs what changes while something of the holder's is still at work
 *  @throws {Error} when the lock cannot be written */
export async function takeLock(
  file: string,
  say: (text: string) => void,
  signs: () => string = () => '',
): Promise<Lock | { holder: Partial<Holder> }> {
  const mine: Holder = {
    ...{ token: randomUUID(), host: hostname(), place: PLACE },
    ...{ pid: process.pid, born: bornAt(process.pid) ?? '' },
  };
  for (;;) {
    if (create(file, JSON.stringify(mine))) return hold(file, mine.token);
    const seen = look(file);
    if (seen === undefined) continue;
    const { holder } = seen;
    // Before there were places, there were processes only.
    const isHere = holder.pid !== undefined && (holder.place ?? PLACE) === PLACE;
    if (isHere && isAlive(holder as Holder)) return { holder };
    if (!isHere) {
      say(
        `Waiting for up to ${(LOOKS * LOOK_MS) / 1000} s whether the holder of ${file} is still there: ${whoIs(holder)}`,
      );
      const after = await watch(file, seen, signs);
      if (after === 'touched') return { holder };
      if (after === 'another') continue;
    }
    removeDead(file, seen, `${file}.${mine.token}`);
  }
}

export const whoIs = ({ pid = 0, host, place }: Partial<Holder>): string =>
  `pid ${pid}${host === undefined || place === PLACE ? '' : ` on ${host}, in another container or on another machine`}`;

/** Not by a link, which not every file system has. */
function create(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Opened each time: a file system of the network may answer from its memory else. */
function look(file: string): Seen | undefined {
  let opened;
  try {
    opened = openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const text = readFileSync(opened, 'utf8');
    return { text, touched: fstatSync(opened, { bigint: true }).mtimeNs, holder: parse(text) };
  } finally {
    closeSync(opened);
  }
}

/** Of one that is just being written, nothing is known yet. */
function parse(text: string): Partial<Holder> {
  try {
    const holder: unknown = JSON.parse(text);
    return typeof holder === 'object' && holder !== null ? holder : {};
  } catch {
    return {};
  }
}

async function watch(file: string, first: Seen, signs: () => string): Promise<'touched' | 'another' | 'still'> {
  const before = signs();
  for (let n = 0; n < LOOKS; n += 1) {
    await sleep(LOOK_MS);
    const now = look(file);
    if (now?.text !== first.text) return 'another';
    if (now.touched !== first.touched || signs() !== before) return 'touched';
  }
  return 'still';
}

/** Moved aside first: of several who saw the same dead holder, a late one puts back what another has taken since. */
function removeDead(file: string, { text }: Seen, aside: string): void {
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = readFileSync(aside, 'utf8');
  if (moved !== text) create(file, moved);
  rmSync(aside, { force: true });
}

function hold(file: string, token: string): Lock {
  const holderNow = () => look(file)?.holder;
  const isHeld = () => holderNow()?.token === token;
  let lose!: (error: Error) => void;
  const lost = new Promise<never>((_resolve, reject) => (lose = reject));
  lost.catch(() => undefined);
  let missed = 0;
  const timer = setInterval(() => {
    try {
      const holder = holderNow();
      if (holder?.token !== token) {
        // Once it may just be put back, by somebody who took it for a dead one's.
        missed += 1;
        if (missed > 1)
          lose(new LockLost(`it is held by ${holder ? whoIs(holder) : 'nobody, since its file was removed'}`));
        return;
      }
      missed = 0;
      const now = new Date();
      utimesSync(file, now, now);
    } catch {
      // A file system that is away: what it says when it is back counts.
    }
  }, TOUCH_MS).unref();
  return {
    isHeld,
    lost,
    release: () => {
      clearInterval(timer);
      if (isHeld()) rmSync(file, { force: true });
    },
  };
}
