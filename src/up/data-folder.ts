import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../config';
import { assertSameUpstream, ownerOf, upstreamFileIn } from '../upstream';
import { takeLock } from './lock';

/** What one `npm start` keeps between its runs: one upstream's onboards, and never another's. */
export interface DataFolder {
  path: string;
  databaseFile: string;
  /** The processes that run, so that the next run finds them when this one is killed. */
  childrenFile: string;
  /** There until the server was ready for the first time: see `prepareDatabase`. */
  databaseUnreadyFile: string;
  /** There from before the database is made until the sample is started: a crash between the two loses nothing. */
  sampleDueFile: string;
  logOf: (name: string) => string;
  /** From now on the folder is this upstream's; provisionally, until `release`, where nobody claims it for good meanwhile. */
  claim: (how: 'provisionally' | 'for good') => void;
  release: () => void;
}

/** @throws {ConfigError} when it cannot be used, is in use, or belongs to another upstream */
export function openDataFolder(path: string, upstream: string): DataFolder {
  try {
    mkdirSync(join(path, 'logs'), { recursive: true, mode: 0o700 });
    chmodSync(path, 0o700);
  } catch (error) {
    throw new ConfigError(
      `The data folder ${path} cannot be used (${(error as Error).message}): set ONBOARDS_DATA_DIR`,
    );
  }
  const lock = takeLock(join(path, 'lock'));
  if ('holder' in lock)
    throw new ConfigError(
      `The data folder ${path} is in use by another npm start (pid ${lock.holder.pid}). ` +
        `Stop that one (Ctrl-C there, or kill ${lock.holder.pid}), or set ONBOARDS_DATA_DIR to another folder.`,
    );
  try {
    assertSameUpstream(path, ownerOf(path), upstream, 'start');
  } catch (error) {
    lock.release();
    throw error;
  }
  const sampleDueFile = join(path, 'sample-due');
  let isProvisional = false;
  return {
    path,
    databaseFile: join(path, 'temporal.db'),
    childrenFile: join(path, 'children.json'),
    databaseUnreadyFile: join(path, 'database-unready'),
    sampleDueFile,
    claim: (how) => {
      const isNew = ownerOf(path) === undefined;
      if (isNew) writeWhole(upstreamFileIn(path), { upstream });
      isProvisional = how === 'provisionally' && isNew;
    },
    logOf: (name) => join(path, 'logs', `${name}.log`),
    release: () => {
      if (isProvisional) for (const file of [upstreamFileIn(path), sampleDueFile]) rmSync(file, { force: true });
      lock.release();
    },
  };
}

/** Whether the database is new. The server makes its tables only where it finds no file, so one that it was making when it
 *  was ended would never work: it goes, and nothing with it, since nobody could use a server that was never ready. */
export function prepareDatabase({ databaseFile, databaseUnreadyFile }: DataFolder): { isNew: boolean } {
  if (existsSync(databaseUnreadyFile))
    for (const ending of ['', '-wal', '-shm', '-journal']) rmSync(databaseFile + ending, { force: true });
  const isNew = !existsSync(databaseFile);
  if (isNew) writeWhole(databaseUnreadyFile, {});
  return { isNew };
}

/** By rename: after a crash there is all of it or nothing. */
export function writeWhole(file: string, value: unknown): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
