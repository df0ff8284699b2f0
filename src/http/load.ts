import type { MiddlewareHandler } from 'hono';
import { Problem } from './problems';

/** Lets so many requests be under way at once and refuses what is above it at once: a queue would only make all of them late. */
export function atMost(count: number): MiddlewareHandler {
  let underWay = 0;
  return async (_c, next) => {
    if (underWay >= count)
      throw new Problem(503, 'Too much is under way here: try again in a second', { 'Retry-After': '1' });
    underWay += 1;
    try {
      await next();
    } finally {
      underWay -= 1;
    }
  };
}
