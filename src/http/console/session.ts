import type { Context, MiddlewareHandler } from 'hono';
import { deleteCookie, getSignedCookie, setSignedCookie } from 'hono/cookie';
import type { Access } from '../access';
import { fingerprintOf, type Key, type Keys } from '../keys';

/** Who is at the screen: a key, and the name that goes into timelines beside it. */
export interface Session extends Access {
  Variables: Access['Variables'] & { who: string };
}

const COOKIE = 'onboards-session';
const HOURS = 12;

/** Signed, so that nobody can make one up; it holds no key, and ends with the key that opened it. */
export class Sessions {
  /** Logged out from before their time, so that no other page goes on with them. */
  private readonly closed = new Set<string>();

  constructor(
    private readonly keys: Keys,
    private readonly secret: string,
  ) {}

  async open(c: Context, key: Key, who: string): Promise<void> {
    const until = Date.now() + HOURS * 3_600_000;
    const value = JSON.stringify([key.name, fingerprintOf(key), until, who]);
    await setSignedCookie(c, COOKIE, value, this.secret, {
      httpOnly: true,
      sameSite: 'Strict',
      path: '/',
      maxAge: HOURS * 3_600,
      // Behind a proxy that ends TLS; a header made up by the caller concerns only the caller.
      secure: c.req.header('x-forwarded-proto') === 'https',
    });
  }

  async close(c: Context): Promise<void> {
    const value = await getSignedCookie(c, this.secret, COOKIE);
    if (value) {
      this.closed.add(value);
      setTimeout(() => this.closed.delete(value), HOURS * 3_600_000).unref();
    }
    deleteCookie(c, COOKIE, { path: '/' });
  }

  /** Who has opened it; undefined when nobody has, or when it has ended since. */
  async of(c: Context): Promise<{ key: Key; who: string } | undefined> {
    const value = await getSignedCookie(c, this.secret, COOKIE);
    const [name = '', fingerprint = '', until = 0, who = ''] = read(value || '[]');
    const key = until > Date.now() && !this.closed.has(value || '') ? this.keys.still(name, fingerprint) : undefined;
    return key && { key, who };
  }

  /** Lets in who has logged in; to the others, `refuse` answers. */
  guard(refuse: (c: Context) => Response | Promise<Response>): MiddlewareHandler<Session> {
    return async (c, next) => {
      const session = await this.of(c);
      if (!session) return refuse(c);
      c.set('key', session.key);
      c.set('who', session.who);
      return next();
    };
  }
}

/** Of our own making: the signature says so. */
const read = (value: string) => JSON.parse(value) as [string?, string?, number?, string?];
