import type { Context, MiddlewareHandler } from 'hono';
import { basicAuth } from 'hono/basic-auth';
import { hostnameIn, isLoopback, isSentFromElsewhere } from '../callers';
import type { Guesses } from './guesses';
import type { Key } from './keys';
import { ELSEWHERE, Problem } from './problems';

/** What a request carries once its key was accepted. */
export interface Access {
  Variables: { key: Key };
}

/** HTTP Basic, as with LeadConduit: the user name is ignored, the password is a key. */
export function withKey(guesses: Guesses): MiddlewareHandler<Access> {
  return basicAuth({
    realm: 'durable-onboards',
    verifyUser: async (_user, password, c: Context<Access>) => {
      const key = await guesses.find(c, password);
      if (key) c.set('key', key);
      return key !== undefined;
    },
  });
}

/** Who asks: the name that the caller gave, if any, and the name of the key. */
export function attributionOf(c: { get: (name: 'key') => Key }, by: string | undefined): string {
  const { name } = c.get('key');
  return by ? `${by} (via ${name})` : name;
}

export const isWrite = ({ req }: Context) => !['GET', 'HEAD'].includes(req.method);

/** Refuses a write with a key of the role `read`. */
export const refuseReaders: MiddlewareHandler<Access> = async (c, next) => {
  if (isWrite(c) && c.get('key').role !== 'operate')
    throw new Problem(403, `The key ${c.get('key').name} has the role read, which may change nothing`);
  await next();
};

export interface Doorstep {
  /** The address that the server listens on. */
  host: string;
  publicUrl?: string | undefined;
}

/**
 * Refuses requests of web pages that are not ours: of another site, since the browser would send our key along, and under a
 * foreign host name that resolves to this machine, since the browser takes such a page for ours. Beyond loopback any host
 * name is accepted: we cannot know by which names others reach us, and no onboard is shown without a key.
 */
export function fromHere({ host, publicUrl }: Doorstep): MiddlewareHandler {
  const own = hostnameIn(host.includes(':') ? `[${host}]` : host);
  const named = [own, publicUrl && new URL(publicUrl).hostname];
  return async (c, next) => {
    const asked = c.req.header();
    const name = hostnameIn(asked.host ?? '') ?? '';
    if (own !== undefined && isLoopback(own) && !isLoopback(name) && !named.includes(name))
      throw new Problem(421, STRANGE);
    const { host: as, origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode } = asked;
    if (isSentFromElsewhere({ method: c.req.method, host: as, origin, site, mode }, publicUrl))
      throw new Problem(403, ELSEWHERE);
    await next();
  };
}

/** With a form, a browser always sends one of these headers. A write without them does not come from a page of ours. */
export const fromPage: MiddlewareHandler = async (c, next) => {
  const { origin, 'sec-fetch-site': site } = c.req.header();
  if (isWrite(c) && origin === undefined && site === undefined) throw new Problem(403, ELSEWHERE);
  await next();
};

const STRANGE =
  'The Host of this request is not one of this server, which answers only to localhost, 127.0.0.1, [::1], the value of ' +
  'HOST and the host of ONBOARDS_PUBLIC_URL. If people reach it at another address, set ONBOARDS_PUBLIC_URL to that';
