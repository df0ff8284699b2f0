import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { bornAt, isAlive, type ProcessId } from '../processes';

const NOBODY: ProcessId = { pid: 0, born: '' };

/** Takes the lock for this process, or says who has it. One whose process is gone counts for nothing. */
export function takeLock(lock: string): { release: () => void } | { holder: ProcessId } {
  const mine = `${lock}.${process.pid}`;
  for (;;) {
    // A link appears with its content or not at all.
    writeFileSync(mine, JSON.stringify({ pid: process.pid, born: bornAt(process.pid) }));
    const isTaken = tryLink(mine, lock);
    rmSync(mine);
    if (isTaken) return { release: () => rmSync(lock, { force: true }) };
    const holder = read(lock);
    if (isAlive(holder)) return { holder };
    removeDead(lock, holder, mine);
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function read(lock: string): ProcessId {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')) as ProcessId;
  } catch {
    return NOBODY;
  }
}

/** Moved aside first: of two who saw the same dead holder, the later one puts back what the other has taken since. */
function removeDead(lock: string, holder: ProcessId, aside: string): void {
  try {
    renameSync(lock, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = read(aside);
  if (moved.pid !== holder.pid || moved.born !== holder.born) tryLink(aside, lock);
  rmSync(aside);
}
