import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../config-error';
import { PLACE } from '../processes';
import { PULSE_FILE, touchedAt } from '../pulse';
import { removeUpFile } from '../temporal/up-file';
import { assertSameUpstream, ownerOf, upstreamFileIn } from '../upstream';
import { LockLost, takeLock, whoIs, type Lock } from './lock';

/** What one `npm start` keeps between its runs: one upstream's onboards, and never another's. */
export interface DataFolder {
  path: string;
  databaseFile: string;
  /** Names the processes that run, so that the next run finds them when this one is killed. */
  childrenFile: string;
  /** Exists until the server was ready for the first time: see `prepareDatabase`. */
  databaseUnreadyFile: string;
  /** Exists from before the database is made until the sample is started, so that a crash in between loses nothing. */
  sampleDueFile: string;
  logOf: (name: string) => string;
  /** Marks the folder as this upstream's. `release` takes a provisional mark away, unless a claim for good came meanwhile. */
  claim: (how: 'provisionally' | 'for good') => void;
  /** Rejects when another `npm start` has taken the folder: what runs here must end at once, and leave the folder alone. */
  lost: Promise<never>;
  release: () => void;
}

/** @throws {ConfigError} when it cannot be used, is in use, or belongs to another upstream */
export async function openDataFolder(path: string, upstream: string, say: (text: string) => void): Promise<DataFolder> {
  const lock = await locked(path, say);
  try {
    assertSameUpstream(path, ownerOf(path), upstream, 'start');
  } catch (error) {
    lock.release();
    throw error;
  }
  const sampleDueFile = join(path, 'sample-due');
  let isProvisional = false;
  const childrenFile = join(path, 'children.json');
  return {
    path,
    databaseFile: join(path, 'temporal.db'),
    childrenFile,
    databaseUnreadyFile: join(path, 'database-unready'),
    sampleDueFile,
    claim: (how) => {
      const isNew = ownerOf(path) === undefined;
      if (isNew) writeWhole(upstreamFileIn(path), { upstream });
      isProvisional = how === 'provisionally' && isNew;
    },
    logOf: (name) => join(path, 'logs', `${name}.log`),
    lost: lock.lost.catch((error: unknown) => {
      throw new LockLost(
        `This npm start has lost the data folder ${path} (${(error as Error).message}): it had not touched its lock for too ` +
          'long, as on a machine that slept. Everything that it ran was ended at once, and is left to the one that has it now.',
      );
    }),
    release: () => {
      if (lock.isHeld()) {
        removeUpFile(path);
        rmSync(childrenFile, { force: true });
        if (isProvisional) for (const file of [upstreamFileIn(path), sampleDueFile]) rmSync(file, { force: true });
      }
      lock.release();
    },
  };
}

async function locked(path: string, say: (text: string) => void): Promise<Lock> {
  let lock;
  try {
    mkdirSync(join(path, 'logs'), { recursive: true, mode: 0o700 });
    chmodSync(path, 0o700);
    lock = await takeLock(join(path, 'lock'), say, () => pulsesIn(path));
  } catch (error) {
    throw new ConfigError(
      `The data folder ${path} cannot be used (${(error as Error).message}): set ONBOARDS_DATA_DIR to another one`,
    );
  }
  if (!('holder' in lock)) return lock;
  const { holder } = lock;
  const where =
    holder.place === undefined || holder.place === PLACE ? `Ctrl-C there, or kill ${holder.pid ?? 0}` : 'there';
  throw new ConfigError(
    `The data folder ${path} is in use by another npm start (${whoIs(holder)}). ` +
      `Stop that one (${where}), or set ONBOARDS_DATA_DIR to another folder.`,
  );
}

/** Signs of life of the workers, which outlive an `npm start` that was killed, also in another place. */
const pulsesIn = (path: string): string =>
  readdirSync(path)
    .filter((name) => PULSE_FILE.test(name))
    .map((name) => touchedAt(join(path, name)))
    .join();

/** Tells whether the database is new. The server makes its tables only if it finds no file, so a database that it was still
 *  making when it ended would never work. Such a file is removed: nobody can have used a server that was never ready. */
export function prepareDatabase({ databaseFile, databaseUnreadyFile }: DataFolder): { isNew: boolean } {
  if (existsSync(databaseUnreadyFile))
    for (const ending of ['', '-wal', '-shm', '-journal']) rmSync(databaseFile + ending, { force: true });
  const isNew = !existsSync(databaseFile);
  if (isNew) writeWhole(databaseUnreadyFile, {});
  return { isNew };
}

/** Writes by rename, so that a crash leaves all of it or nothing. */
export function writeWhole(file: string, value: unknown): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
