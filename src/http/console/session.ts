import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Context, MiddlewareHandler } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { z } from 'zod';
import { visible } from '../../visible';
import type { Access } from '../access';
import type { Waiting } from '../load';
import { assertOurs, fingerprintOf, hashOf, type Key, type Keys } from '../keys';

/** A logged-in user: a key, and the name that goes into timelines beside the key's. */
export interface Session extends Access {
  Variables: Access['Variables'] & Waiting['Variables'] & { who: string; session: string };
}

const HOURS = 12;
/** Sessions of one key. Older ones are removed, so that the owner of the key cannot fill the disk. */
const MOST_OF_A_KEY = 100;
const NAME_LENGTH = 60;

const Kept = z.object({ key: z.string(), fingerprint: z.string(), until: z.number(), who: z.string() });

/**
 * The open sessions. Each is a file in the data folder, so that a log-out counts for every API on the folder, and after a
 * restart. The cookie is a random token, of which only the hash is kept, so that nobody can log in with what is in the file.
 * A session holds no key, and ends with the key that opened it.
 */
export class Sessions {
  /** @param folder made when missing @throws {ConfigError} when everybody may write to it or to its parent */
  constructor(
    private readonly keys: Keys,
    private readonly folder: string,
  ) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const each of [dirname(folder), folder]) assertOurs(each);
  }

  open(c: Context, key: Key, who: string): void {
    this.sweep(key.name);
    const token = randomBytes(32).toString('base64url');
    const until = Date.now() + HOURS * 3_600_000;
    const kept = { key: key.name, fingerprint: fingerprintOf(key), until, who: visible(who).slice(0, NAME_LENGTH) };
    writeFileSync(this.fileOf(token), JSON.stringify(kept), { mode: 0o600, flag: 'wx' });
    setCookie(c, cookieAt(c), token, {
      httpOnly: true,
      sameSite: 'Strict',
      path: '/',
      maxAge: HOURS * 3_600,
      // Set behind a proxy that terminates TLS. A forged header affects only the caller that sends it.
      secure: c.req.header('x-forwarded-proto') === 'https',
    });
  }

  close(c: Context): void {
    rmSync(this.fileOf(getCookie(c, cookieAt(c)) ?? ''), { force: true });
    deleteCookie(c, cookieAt(c), { path: '/' });
  }

  /** The session of a request; undefined when it has none, or when the session has ended. */
  of(c: Context): { key: Key; who: string; session: string } | undefined {
    const file = this.fileOf(getCookie(c, cookieAt(c)) ?? '');
    const kept = read(file);
    const key = kept && kept.until > Date.now() ? this.keys.still(kept.key, kept.fingerprint) : undefined;
    return key && kept && { key, who: kept.who, session: file };
  }

  /** Lets in logged-in users; `refuse` answers all others. */
  guard(refuse: (c: Context) => Response | Promise<Response>): MiddlewareHandler<Session> {
    return async (c, next) => {
      const found = this.of(c);
      if (!found) return refuse(c);
      c.set('key', found.key);
      c.set('who', found.who);
      c.set('session', found.session);
      return next();
    };
  }

  private fileOf(token: string): string {
    return join(this.folder, hashOf(token).toString('hex'));
  }

  /** Removes sessions that have run out or cannot be read, and the oldest of a key that has too many. */
  private sweep(name: string): void {
    const files = readdirSync(this.folder).map((each) => join(this.folder, each));
    const kept = files.map((file) => ({ file, ...read(file) }));
    const old = kept
      .filter(({ key, until = 0 }) => key === name && until > Date.now())
      .sort((one, other) => (other.until ?? 0) - (one.until ?? 0))
      .slice(MOST_OF_A_KEY - 1);
    for (const { file } of [...kept.filter(({ until = 0 }) => until <= Date.now()), ...old])
      rmSync(file, { force: true });
  }
}

/** Browsers keep cookies by host alone: without the port, two consoles on one machine would log each other out. */
function cookieAt(c: Context): string {
  const { port } = new URL(c.req.url);
  return port ? `onboards-session-${port}` : 'onboards-session';
}

function read(file: string): z.output<typeof Kept> | undefined {
  try {
    return Kept.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data;
  } catch {
    return undefined;
  }
}
