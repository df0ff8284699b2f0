import { mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

/**
 * How a worker shows that it works: it touches a file of its own in the data folder each second, from its event loop.
 * Whoever supervises it counts looks at which nothing was new, and compares no clocks: a machine that slept has missed
 * nothing.
 */
export const PULSE_MS = 1_000;
/** Looks, a second apart, that a worker may miss before it is taken to hang: a long pause of its memory is shorter. */
export const MISSED_LOOKS = 7;

export const PULSE_FILE = /^worker-(\d+)@(.+)\.pulse$/;
/** Several containers may share the folder: a number alone would be several workers'. */
export const pulseFile = (dataDir: string, pid: number) => join(dataDir, `worker-${pid}@${hostname()}.pulse`);

/** What this process calls each second while it works. A file that one with the same number left would be believed. */
export function ownPulse(dataDir: string): () => void {
  const file = pulseFile(dataDir, process.pid);
  const remove = () => {
    try {
      rmSync(file, { force: true });
    } catch {
      // It cannot be written either, which is said below.
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

/** A full disk takes no new file, but still the time of one that is there. */
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

/** When a file was last touched, as a text to compare; undefined where there is none. */
export function touchedAt(file: string): string | undefined {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : String(stat.mtimeNs);
}
