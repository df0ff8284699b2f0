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

const isWrite = ({ req }: Context) => !['GET', 'HEAD'].includes(req.method);

/** A key of the role `read` changes nothing. */
export const mayWrite: MiddlewareHandler<Access> = async (c, next) => {
  if (isWrite(c) && c.get('key').role !== 'operate')
    throw new Problem(403, `The key ${c.get('key').name} may only read`);
  await next();
};

/** A page of another site can make a browser that knows our key send anything but this. */
export const onlyJson: MiddlewareHandler = async (c, next) => {
  if (['POST', 'PUT'].includes(c.req.method) && !/^application\/json *(;|$)/i.test(c.req.header('content-type') ?? ''))
    throw new Problem(415, 'The content type must be application/json');
  await next();
};
