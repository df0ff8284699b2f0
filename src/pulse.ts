import { mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

/**
 * How a worker shows that it works: it touches a file of its own in the data folder each second, from its event loop.
 * The supervisor counts looks at which nothing was new, and compares no clocks: a machine that slept has missed nothing.
 */
export const PULSE_MS = 1_000;
/** Looks, a second apart, that may find the file untouched before a worker counts as hung. A long garbage collection is shorter. */
export const MISSED_LOOKS = 7;

export const PULSE_FILE = /^worker-(\d+)@(.+)\.pulse$/;
/** Several containers may share the folder, so a pid alone could be that of several workers. */
export const pulseFile = (dataDir: string, pid: number) => join(dataDir, `worker-${pid}@${hostname()}.pulse`);

/** @returns what this process calls each second while it works. A file that another process with this pid left is removed first. */
export function ownPulse(dataDir: string): () => void {
  const file = pulseFile(dataDir, process.pid);
  const remove = () => {
    try {
      rmSync(file, { force: true });
    } catch {
      // Then it cannot be written either, which is reported below.
    }
  };
  remove();
  process.once('exit', remove);
  let isTold = false;
  return () => {
    try {
      touch(file);
    } catch (error) {
      if (!isTold)
        console.error(
          `ONBOARDS_DATA_DIR cannot be written (${(error as Error).message}): npm start or a container's health check takes ` +
            'this worker to hang, and kills it. Make room, or let this user write there.',
        );
      isTold = true;
    }
  };
}

/** A full disk takes no new file, but still a new time for one that exists. */
function touch(file: string): void {
  const now = new Date();
  try {
    utimesSync(file, now, now);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
    writeFileSync(file, '', { mode: 0o600 });
  }
}

/** When a file was last touched, as a text to compare; undefined if there is none. */
export function touchedAt(file: string): string | undefined {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : String(stat.mtimeNs);
}
