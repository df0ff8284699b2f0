import { OpenAPIHono } from '@hono/zod-openapi';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { secureHeaders } from 'hono/secure-headers';
import { timeout } from 'hono/timeout';
import { fromHere, type Access, type Doorstep } from './access';
import { api, type ApiDeps } from './api';
import { consolePages, type ConsoleDeps } from './console/routes';
import { Guesses } from './guesses';
import { untilOver } from './load';
import { answerWith, Problem, problemOf } from './problems';

/** Longer than the longest wait that a caller may ask for, and Temporal's answers after it. */
const TIMEOUT_MS = 90_000;
export type AppDeps = Omit<ApiDeps & ConsoleDeps, 'guesses'> & Doorstep;

/** A page loads nothing from other sites, runs only our own script files, and cannot be put into another page's frame. */
const POLICY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'"],
  connectSrc: ["'self'"],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
};

/** Everything that is served. Handlers turn a request into a response, so the app also works without a socket. */
export function createApp(deps: AppDeps): OpenAPIHono<Access> {
  const { onboards, keys, draining } = deps;
  const app = new OpenAPIHono<Access>({
    defaultHook: (result) => {
      if (result.success) return;
      const words = result.error.issues.map(({ path, message }) => `${path.join('.') || result.target}: ${message}`);
      throw new Problem(400, words.join('; '));
    },
  });
  app.onError((error, c) => answerWith(c, problemOf(error)));
  app.notFound((c) => answerWith(c, new Problem(404, `Nothing is at ${c.req.path}`)));
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) =>
        answerWith(c, new Problem(405, `${c.req.path} does not accept ${c.req.method}`, { Allow: methods.join(', ') })),
    }),
  );
  app.use(
    secureHeaders({
      strictTransportSecurity: false,
      contentSecurityPolicy: POLICY,
      // With `no-referrer`, browsers send the origin of a form as `null`, so our forms would look like another site's.
      referrerPolicy: 'same-origin',
    }),
  );
  app.use(async (c, next) => {
    await next();
    // No proxy may store what is said of an onboard, nor may a browser after its user has left.
    if (!c.res.headers.get('Cache-Control')?.startsWith('public')) c.header('Cache-Control', 'no-store');
    // On an open connection another request could follow, for which the shutdown would not wait.
    if (draining.aborted) c.header('Connection', 'close');
  });

  app.use(fromHere(deps));

  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  // This needs no key, so all who ask at the same time share one request to Temporal.
  let ping: Promise<void> | undefined;
  app.get('/readyz', async (c) => {
    if (draining.aborted) throw new Problem(503, 'This process is ending');
    await (ping ??= onboards.ping().finally(() => (ping = undefined)));
    return c.json({ status: 'ready' });
  });
  app.openAPIRegistry.registerComponent('securitySchemes', 'key', {
    type: 'http',
    scheme: 'basic',
    description: 'Any user (LeadConduit calls it API); the password is a key of ours.',
  });
  app.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'durable-onboards',
      version: '1',
      description: "LeadConduit's calls for onboards, kept from happening twice, and how to follow and steer each one.",
    },
  });

  const guesses = new Guesses(keys, draining);
  app.use(timeout(TIMEOUT_MS), untilOver(draining));
  app.route('/onboards', api({ ...deps, guesses }));
  app.route('/', consolePages({ ...deps, guesses }));
  return app;
}
