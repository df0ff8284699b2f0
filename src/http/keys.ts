import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../config';
import { ConfigError } from '../config-error';
import { guessable } from '../own-key';
import { distrustOfOurs, readSecretFile } from '../secret-file';
import { keepSecret } from '../secrets';

export const ROLES = ['read', 'operate'] as const;
export type Role = (typeof ROLES)[number];

/** A caller's key. Its name appears in timelines. */
export interface Key {
  name: string;
  role: Role;
  /** SHA-256 of the key itself, which is not kept here. */
  hash: Buffer;
}

/** The name of the key in `ONBOARDS_API_KEY`, and of the key that is made when none is set. */
const ONLY = 'api';
const LINE = /^([\w.@-]{1,60})\s+(read|operate)\s+([0-9a-f]{64})$/i;

export const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();

const GAPS = ['', ' ', '\t', '\n', '\r', '\0'];
const BLANKS = GAPS.flatMap((one) => GAPS.flatMap((two) => GAPS.map((three) => one + two + three)));
/** Variable names that somebody may have used for the key. */
const NAMES = ['KEY', 'key', 'API_KEY', 'api_key', 'ONBOARDS_API_KEY', 'PASSWORD', 'password', 'SECRET', 'secret'];
const COMMANDS = ['$(openssl rand -hex 24)', '`openssl rand -hex 24`'];
/** Hashes that result when the key was not set, or when its name or command was hashed instead: anybody can guess them. */
const NO_KEYS = new Set(
  [
    ...BLANKS,
    ...['""', "''", '-', 'null', 'undefined']
      .concat(
        [...NAMES.flatMap((name) => [name, `$${name}`, `\${${name}}`]), ...COMMANDS].flatMap((no) => [no, `"${no}"`]),
      )
      .flatMap((no) => [...GAPS, '\r\n'].map((gap) => no + gap)),
  ].map((text) => hashOf(text).toString('hex')),
);

/** The keys of our own API and console. */
export class Keys {
  constructor(private readonly keys: readonly Key[]) {}

  /** Compares with all keys, each in constant time, so that the duration tells nothing. A guessable key is never accepted. */
  find(password: string): Key | undefined {
    const hash = hashOf(password);
    const [found] = this.keys.filter((key) => timingSafeEqual(key.hash, hash));
    return guessable(password) === undefined ? found : undefined;
  }

  /** The key that a session was opened with; undefined once it was removed or replaced. */
  still(name: string, fingerprint: string): Key | undefined {
    return this.keys.find((key) => key.name === name && fingerprintOf(key) === fingerprint);
  }
}

/** Tells a key from its successor of the same name. Nobody can log in with it. */
export const fingerprintOf = ({ hash }: Key): string => hashOf(hash.toString('hex')).toString('hex').slice(0, 16);

/** The keys of the settings, else the one in the data folder, which is made when it is missing.
 *  @throws {ConfigError} naming the line of the file that is wrong, never a key */
export function loadKeys({ api, dataDir }: Pick<Config, 'api' | 'dataDir'>): Keys {
  const keys = api.keysFile === undefined ? [] : readKeys(api.keysFile);
  if (keys.some(({ name }) => name === ONLY) && api.key !== undefined)
    throw new ConfigError(
      `ONBOARDS_API_KEYS_FILE has a key named ${ONLY}, which is the name of the key in ONBOARDS_API_KEY: rename it`,
    );
  if (api.key !== undefined) keys.push({ name: ONLY, role: 'operate', hash: hashOf(api.key) });
  if (keys.length > 0) return new Keys(keys);
  if (!api.isLoopback)
    throw new ConfigError(
      `Listening on ${api.host}, which others can reach, needs a key of your own: set ONBOARDS_API_KEY or ONBOARDS_API_KEYS_FILE`,
    );
  return new Keys([{ name: ONLY, role: 'operate', hash: hashOf(keptSecret(keyFileIn(dataDir))) }]);
}

function readKeys(file: string): Key[] {
  const read = readSecretFile(file, 'trusted');
  if ('problem' in read) throw new ConfigError(`ONBOARDS_API_KEYS_FILE ${read.problem}`);
  const keys = read.text.split('\n').flatMap((line, i) => {
    if (/^\s*(#|$)/.test(line)) return [];
    const [, name = '', role = '', hash = ''] = LINE.exec(line.trim()) ?? [];
    if (!name)
      throw new ConfigError(
        `ONBOARDS_API_KEYS_FILE, line ${i + 1}: must be \`<name> read|operate <sha256 of the key, 64 hexadecimal digits>\``,
      );
    if (NO_KEYS.has(hash.toLowerCase()))
      throw new ConfigError(
        `ONBOARDS_API_KEYS_FILE, line ${i + 1}: this is the hash of an empty text, a variable's name or a command, and not of a key. Make the line again from the key itself`,
      );
    return [{ name, role: role.toLowerCase() as Role, hash: Buffer.from(hash, 'hex') }];
  });
  const twice = keys.find(({ name }, i) => keys.findIndex((other) => other.name === name) !== i);
  if (twice) throw new ConfigError(`ONBOARDS_API_KEYS_FILE has two keys named ${twice.name}: rename one of them`);
  if (keys.length === 0) throw new ConfigError('ONBOARDS_API_KEYS_FILE has no line with a key');
  return keys;
}

/** Anybody who can write to this path decides who is let in. @throws {ConfigError} when it cannot be trusted */
export function assertOurs(path: string): void {
  const problem = distrustOfOurs(path);
  if (problem !== undefined) throw new ConfigError(problem);
}

export const keyFileIn = (dataDir: string) => join(dataDir, 'api-key');

const BYTES = 24;
/** The length of such a secret in base64url. */
const LENGTH = 32;

/** A secret that is made once and then kept in a file that only this user can read. */
function keptSecret(file: string): string {
  const mine = `${file}.${process.pid}`;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  assertOurs(dirname(file));
  // A hard link appears with all of its content or not at all.
  writeFileSync(mine, `${randomBytes(BYTES).toString('base64url')}\n`, { mode: 0o600 });
  try {
    linkSync(mine, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(mine);
  }
  const read = readSecretFile(file, 'trusted', true);
  if ('problem' in read) throw new ConfigError(`${file} ${read.problem}`);
  const secret = read.text.trim();
  keepSecret(secret);
  if (secret.length >= LENGTH) return secret;
  throw new ConfigError(`${file} is too short for a key: remove the file, and a new key is made`);
}
