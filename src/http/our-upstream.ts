import type { MiddlewareHandler } from 'hono';
import type { OnboardsClient } from '../client';

/** A server that no worker has been on yet may turn out to be another upstream's: it is asked until it says whose it is. */
export const ofOurUpstream =
  (onboards: OnboardsClient): MiddlewareHandler =>
  async (_, next) => {
    await onboards.upstream();
    await next();
  };
