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

/** Who is at the screen: a key, and the name that goes into timelines beside it. */
export interface Session extends Access {
  Variables: Access['Variables'] & Waiting['Variables'] & { who: string; session: string };
}

const HOURS = 12;
/** Older ones of the same key go: whoever has it cannot fill the disk. */
const MOST_OF_A_KEY = 100;
const NAME_LENGTH = 60;

const Kept = z.object({ key: z.string(), fingerprint: z.string(), until: z.number(), who: z.string() });

/**
 * Who has logged in. Each session is a file in the data folder, so that a log-out counts for every API on the folder, and
 * after a restart. The cookie is a random token, of which only the hash is kept: whoever reads the file cannot get in with
 * it. It holds no key, and ends with the key that opened it.
 */
export class Sessions {
  /** @param folder made where it is missing @throws {ConfigError} where others may write to it */
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
      // Behind a proxy that ends TLS; a header made up by the caller concerns only the caller.
      secure: c.req.header('x-forwarded-proto') === 'https',
    });
  }

  close(c: Context): void {
    rmSync(this.fileOf(getCookie(c, cookieAt(c)) ?? ''), { force: true });
    deleteCookie(c, cookieAt(c), { path: '/' });
  }

  /** Who has opened it; undefined when nobody has, or when it has ended since. */
  of(c: Context): { key: Key; who: string; session: string } | undefined {
    const file = this.fileOf(getCookie(c, cookieAt(c)) ?? '');
    const kept = read(file);
    const key = kept && kept.until > Date.now() ? this.keys.still(kept.key, kept.fingerprint) : undefined;
    return key && kept && { key, who: kept.who, session: file };
  }

  /** Lets in who has logged in; to the others, `refuse` answers. */
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

  /** What has run out, what nobody can read, and the oldest of a key that has too many. */
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

/** Browsers keep cookies by host alone: two consoles on one machine would log each other out. */
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
