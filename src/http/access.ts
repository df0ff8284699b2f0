import type { Context, MiddlewareHandler } from 'hono';
import { basicAuth } from 'hono/basic-auth';
import type { Key, Keys } from './keys';
import { Problem } from './problems';

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

const READING = ['GET', 'HEAD'];

/** A key of the role `read` changes nothing. */
export const mayWrite: MiddlewareHandler<Access> = async (c, next) => {
  if (!READING.includes(c.req.method) && c.get('key').role !== 'operate')
    throw new Problem(403, `The key ${c.get('key').name} may only read`);
  await next();
};
