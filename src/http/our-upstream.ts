import type { MiddlewareHandler } from 'hono';
import type { OnboardsClient } from '../client';

/** Until the server says whose onboards it holds, each request asks it again: it may turn out to be another upstream's. */
export const ofOurUpstream =
  (onboards: OnboardsClient): MiddlewareHandler =>
  async (_, next) => {
    await onboards.upstream();
    await next();
  };
