import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { bornAt, isAlive, PLACE, type ProcessId } from '../processes';

/** How often the holder touches the lock, which shows that it lives to those who cannot see its process. */
const TOUCH_MS = 2_000;
/** Looks are counted, and no time is measured: no clocks of two machines are compared, and one that slept has missed nothing. */
const LOOKS = 20;
const LOOK_MS = 500;

export interface Holder extends ProcessId {
  token: string;
  host: string;
  place: string;
}

export interface Lock {
  isHeld(): boolean;
  /** Rejects when another process has taken the lock, or its file was removed. */
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
 *  @param say is told why this takes long
 *  @param signs a text that changes while a process of the holder still works
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
    // A lock of an older version names no place.
    const isHere = holder.pid !== undefined && (holder.place ?? PLACE) === PLACE;
    if (isHere && isAlive(holder as Holder)) return { holder };
    if (!isHere) {
      say(
        `Waiting for up to ${(LOOKS * LOOK_MS) / 1000} s to see whether the process that holds ${file} still runs: ${whoIs(holder)}`,
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

/** Without a link, which not every file system has. */
function create(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Opens the file each time: otherwise a network file system may answer from its cache. */
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

/** A lock that is just being written names no holder yet. */
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

/** Moves the lock aside first. If several processes saw the same dead holder, a late one may move the lock that another has
 *  taken since, and puts it back. */
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
        // A single miss may be a lock that another process took for a dead holder's and is just putting back.
        missed += 1;
        if (missed > 1)
          lose(new LockLost(`it is held by ${holder ? whoIs(holder) : 'nobody, since its file was removed'}`));
        return;
      }
      missed = 0;
      const now = new Date();
      utimesSync(file, now, now);
    } catch {
      // The file system is not available. What it says when it is back counts.
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
