import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';

const STALE_MS = 10_000;

/** Does the work while no other process does. The holder touches the lock each second. A lock is stale if its process is gone,
 *  or if nobody touches it: the pid of a container that was killed means nothing here. Calls `onWait` once, after about 1 s. */
export async function oneAtATime(lock, work, onWait) {
  fs.mkdirSync(dirname(lock), { recursive: true });
  for (let tries = 1; !take(lock); tries += 1) {
    const holder = read(lock);
    if (holder !== undefined && isStale(lock, holder)) takeAway(lock, holder);
    if (tries === 10) onWait(holder);
    await sleep(50 + Math.random() * 100);
  }
  const beat = setInterval(() => fs.utimes(lock, new Date(), new Date(), () => undefined), 1000);
  try {
    await work();
  } finally {
    clearInterval(beat);
    fs.rmSync(lock, { force: true });
  }
}

function take(lock) {
  try {
    fs.writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function read(lock) {
  try {
    return fs.readFileSync(lock, 'utf8');
  } catch {
    return undefined;
  }
}

function isStale(lock, holder) {
  try {
    if (Date.now() - fs.statSync(lock).mtimeMs > STALE_MS) return true;
    return holder !== '' && !process.kill(Number(holder), 0);
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** Moves the lock aside first. If several processes saw the same stale lock, a late one may move the lock that another has
 *  taken since, and puts it back. */
function takeAway(lock, holder) {
  const taken = `${lock}.${process.pid}`;
  try {
    fs.renameSync(lock, taken);
    const moved = read(taken);
    // Without a link, which not every file system has.
    if (moved !== holder) fs.writeFileSync(lock, moved, { flag: 'wx' });
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  }
  fs.rmSync(taken, { force: true });
}
