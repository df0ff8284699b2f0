import type { MiddlewareHandler } from 'hono';
import { isWrite } from './access';
import { Problem } from './problems';

/**
 * Lets so many requests be under way at once and refuses what is above it at once: a queue would only make all of them late.
 * Reads are counted apart: those that wait for LeadConduit do not keep them out.
 */
export function atMost(count: number): MiddlewareHandler {
  const underWay = { reads: 0, writes: 0 };
  return async (c, next) => {
    const kind = isWrite(c) ? 'writes' : 'reads';
    if (underWay[kind] >= count)
      throw new Problem(503, 'Too much is under way here: try again in a second', { 'Retry-After': '1' });
    underWay[kind] += 1;
    try {
      await next();
    } finally {
      underWay[kind] -= 1;
    }
  };
}
