import type { Context, MiddlewareHandler } from 'hono';
import { basicAuth } from 'hono/basic-auth';
import type { Key, Keys } from './keys';
import { ELSEWHERE, Problem } from './problems';

/** What a request carries once it has been let in. */
export interface Access {
  Variables: { key: Key };
}

/** HTTP Basic, as LeadConduit has it: the user's name is ignored, the password is a key. */
export function withKey(keys: Keys): MiddlewareHandler<Access> {
  return basicAuth({
    realm: 'durable-onboards',
    verifyUser: (_user, password, c: Context<Access>) => {
      const key = keys.find(password);
      if (key) c.set('key', key);
      return key !== undefined;
    },
  });
}

export const isWrite = ({ req }: Context) => !['GET', 'HEAD'].includes(req.method);

/** A key of the role `read` changes nothing. */
export const mayWrite: MiddlewareHandler<Access> = async (c, next) => {
  if (isWrite(c) && c.get('key').role !== 'operate')
    throw new Problem(403, `The key ${c.get('key').name} may only read`);
  await next();
};

/** A browser that knows our key sends it along with what a page of another site makes it send. */
export const fromHere: MiddlewareHandler = async (c, next) => {
  const { origin, host, 'sec-fetch-site': site } = c.req.header();
  // Older browsers, and those at an address without TLS, tell the origin only.
  const isFromHere = site
    ? ['same-origin', 'none'].includes(site)
    : origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
  if (isWrite(c) && !isFromHere) throw new Problem(403, ELSEWHERE);
  await next();
};
