import { randomUUID } from 'node:crypto';
import { Hono, type Context } from 'hono';
import type { z } from 'zod';
import type { OnboardsClient } from '../../client';
import { MESSAGE_NAMES, MESSAGES, type MessageName } from '../../onboard/actions';
import type { Message } from '../../onboard/parse-message';
import { retryCompletes } from '../../onboard/view';
import { isHex24 } from '../../onboard/ids';
import { visible, visibleIn } from '../../visible';
import { attributionOf, fromPage } from '../access';
import type { Guesses } from '../guesses';
import { hashOf, type Keys } from '../keys';
import { ofOurUpstream } from '../our-upstream';
import { atMost, bodyAtMost } from '../load';
import { Problem, problemOf } from '../problems';
import { BODIES, CreateRequest } from '../api/schemas';
import { CompletePage } from './action-forms';
import { assets } from './assets';
import type { EmulatorControl } from './emulator-control';
import { ListPage, ListRegion, wantedOf } from './list-page';
import { Live } from './live';
import { LoginPage } from './login-page';
import { OnboardPage, Standing } from './onboard-page';
import { Overview } from './overview';
import { Sessions, type Session } from './session';
import { ProblemPage } from './problem-page';

export interface Neighbours {
  /** The address of Temporal's web page. */
  webPage?: string;
  /** Set when the emulator stands in for LeadConduit. */
  emulator?: EmulatorControl;
}

export interface ConsoleDeps {
  onboards: OnboardsClient;
  keys: Keys;
  guesses: Guesses;
  /** Where the sessions are kept. */
  sessionsFolder: string;
  draining: AbortSignal;
  /** The services beside us. They may come and go, so this is asked each time. */
  neighbours: () => Neighbours;
}

const DOWN_MS = 30_000;
/** Requests of one key that may be under way while no other key has any; one log-in with it gets half. */
const MOST_UNDER_WAY = 32;
const VIEW = /^[\w-]{1,64}$/;
const HERE = /^\/(?!\/)[\w\-./?=&%+]*$/;

/** The operators' pages. They work without scripts; with scripts, they update live. */
export function consolePages(deps: ConsoleDeps): Hono<Session> {
  const { onboards, keys, guesses, draining, neighbours } = deps;
  const app = new Hono<Session>();
  const sessions = new Sessions(keys, deps.sessionsFolder);
  const overview = new Overview(onboards);
  const live = new Live(draining);

  app.route('/', assets);
  /** For the frame of a page, which is shown even when Temporal does not answer. */
  const leadconduit = () => onboards.upstream().catch(() => undefined);
  app.onError(async (error, c) => {
    const problem = problemOf(error);
    for (const [name, value] of Object.entries(problem.headers)) c.header(name, value);
    return c.html(<ProblemPage problem={problem} leadconduit={await leadconduit()} />, problem.status);
  });
  for (const path of ['/', '/login', '/logout', '/console/*']) app.use(path, fromPage, bodyAtMost(64 * 1024, '64 KB'));

  const loginPage = async (next: string | undefined, problem?: string) => (
    <LoginPage next={nextOf(next)} problem={problem} leadconduit={await leadconduit()} />
  );
  app.get('/login', async (c) => c.html(await loginPage(c.req.query('next'))));
  app.post('/login', async (c) => {
    const form = await formOf(c);
    const key = await guesses.find(c, form.key ?? '');
    if (!key) return c.html(await loginPage(form.next, 'This key is not known here.'), 401);
    sessions.open(c, key, form.who ?? '');
    return c.redirect(nextOf(form.next), 303);
  });
  app.post('/logout', (c) => {
    sessions.close(c);
    return c.redirect('/login', 303);
  });

  const toLogin = sessions.guard(async (c) => {
    const { pathname, search } = new URL(c.req.url);
    if (c.req.method === 'GET' && !pathname.endsWith('/live'))
      return c.redirect(`/login?next=${encodeURIComponent(pathname + search)}`, 303);
    const next = /^\/console\/onboards\/[^/]+/.exec(pathname)?.[0];
    return c.html(await loginPage(next, 'Your session has ended, and nothing was done.'), 401);
  });
  app.use('/', toLogin, ofOurUpstream(onboards));
  app.use('/console/*', toLogin, ofOurUpstream(onboards), async (c, next) => {
    if (c.req.method !== 'GET' && !mayWrite(c))
      throw new Problem(403, `The key ${c.get('key').name} has the role read, which may change nothing`);
    return next();
  });
  app.use(
    '/console/*',
    atMost(MOST_UNDER_WAY, (c: Context<Session>) => [c.get('key').name, c.get('session')]),
  );
  for (const path of ['/console/onboards/:id', '/console/onboards/:id/*'])
    app.use(path, async (c, next) => {
      if (!isHex24(c.req.param('id') ?? ''))
        throw new Problem(404, 'There is no such onboard: an id is 24 hexadecimal digits');
      return next();
    });

  const isStill = (c: Context) => () => sessions.of(c) !== undefined;

  const listPage = async (c: Context<Session>, problem?: string) => {
    const [snapshot, upstream] = await Promise.all([overview.current(), neighbours().emulator?.upstream()]);
    const wanted = wantedOf(c.req.query());
    const about = { snapshot, wanted, now: Date.now(), who: whoIs(c), mayWrite: mayWrite(c), problem, upstream };
    return <ListPage {...about} leadconduit={await leadconduit()} />;
  };
  app.get('/', async (c) => c.html(await listPage(c)));
  app.get('/console/live', (c) => {
    const wanted = wantedOf(c.req.query());
    const render = async () => <ListRegion snapshot={await overview.current()} wanted={wanted} now={Date.now()} />;
    return live.follow(c, render, isStill(c));
  });

  const standingOf = async (c: Context<Session>) => {
    const state = visibleIn(await onboards.get(c.req.param('id') ?? '', c.get('over')).state());
    const { invitation_id } = state;
    const { emulator, webPage } = neighbours();
    const upstream = emulator && ((await emulator.upstream(invitation_id)) ?? ('down' as const));
    const run = webPage && onboards.runAddress(webPage, invitation_id);
    const view = VIEW.exec(c.req.query('view') ?? '')?.[0] ?? randomUUID();
    return { state, now: Date.now(), who: c.get('who'), mayWrite: mayWrite(c), view, run, upstream };
  };
  app.get('/console/onboards/:id', async (c) => {
    const said = c.req.query('said');
    const about = { ...(await standingOf(c)), leadconduit: await leadconduit() };
    return c.html(<OnboardPage {...about} said={saidBy(said)} />);
  });
  app.get('/console/onboards/:id/live', (c) =>
    live.follow(c, async () => <Standing {...await standingOf(c)} />, isStill(c)),
  );
  // For a reload of the page that showed a refusal.
  app.get('/console/onboards/:id/:message', (c) => c.redirect(`/console/onboards/${c.req.param('id')}`, 303));

  app.post('/console/onboards', async (c) => {
    const wanted = CreateRequest.safeParse(await formOf(c));
    if (!wanted.success) return c.html(await listPage(c, wordsOf(wanted.error)), 400);
    const { invitation_id, flow_id, label } = wanted.data;
    const request = { invitation_id, flow_id: flow_id ?? undefined, label: label ?? undefined };
    try {
      // Does not wait, but reports when the onboard exists and is for another flow.
      await onboards.onboard({ ...request, by: byOf(c, undefined) }, 0);
    } catch (error) {
      const { status, message } = problemOf(error);
      return c.html(await listPage(c, message), status);
    }
    return c.redirect(`/console/onboards/${invitation_id.toLowerCase()}?said=start`, 303);
  });

  app.post('/console/onboards/:id/:message', async (c) => {
    const { id, message } = c.req.param();
    const { confirmed, ...fields } = await formOf(c);
    if (!isMessage(message)) return c.notFound();
    try {
      const { data, error } = BODIES[message].safeParse(fields);
      if (error) throw new Problem(400, wordsOf(error));
      if (confirmed !== 'yes' && mayComplete(message, fields)) {
        const state = await onboards.get(id).state();
        if (message === 'advance' || retryCompletes(state))
          return await c.html(
            <CompletePage {...{ state, message, who: whoIs(c), leadconduit: await leadconduit(), fields }} />,
          );
      }
      const said = { ...data, by: byOf(c, data.by), key: data.key && keyFor(data.key, fields) };
      await onboards.get(id).send({ ...said, name: message } as Message);
    } catch (error) {
      const { status, message: words } = problemOf(error);
      const about = { ...(await standingOf(c)), leadconduit: await leadconduit() };
      return c.html(<OnboardPage {...about} problem={words} />, status);
    }
    return c.redirect(`/console/onboards/${id}?said=${message}`, 303);
  });

  app.post('/console/emulator', async (c) => {
    const { emulator } = neighbours();
    if (!emulator) return c.notFound();
    const { do: what, next, invitation } = await formOf(c);
    if (invitation !== undefined && !isHex24(invitation)) throw new Problem(400, 'invitation: is not an id');
    if (what === 'lose') await emulator.loseAnswer(next === 'PUT' ? 'PUT' : 'POST', invitation);
    else if (what === 'down') await emulator.goDown(DOWN_MS);
    else if (what === 'hide' || what === 'show') await emulator.hide(what === 'hide');
    else throw new Problem(400, 'do: must be lose, down, hide or show');
    return c.redirect(invitation ? `/console/onboards/${invitation}?said=${what}` : '/', 303);
  });
  return app;
}

const saidBy = (name = '') => (Object.hasOwn(SAID, name) ? SAID[name] : undefined);
const SAID: Record<string, string> = {
  start: 'Accepted: the onboard was started, or it existed already.',
  ...Object.fromEntries(MESSAGE_NAMES.map((name) => [name, MESSAGES[name].accepted])),
  lose: 'The next answer will be lost. Now act, and watch.',
  down: 'The emulator is down for 30 s. Now act, and watch.',
  hide: 'The list hides what was created. Now act, and watch.',
  show: 'The list shows the created onboards again.',
};

const mayComplete = (message: string, { to, action }: Record<string, string>) =>
  (message === 'advance' && to === 'completed') || (message === 'resolve' && action === 'retry');
const isMessage = (name: string): name is MessageName => Object.hasOwn(BODIES, name);
const mayWrite = (c: Context<Session>) => c.get('key').role === 'operate';
const whoIs = (c: Context<Session>) => c.get('who') || c.get('key').name;
const byOf = (c: Context<Session>, by: string | undefined) => attributionOf(c, by ?? c.get('who'));
/** Accepts only an address of ours, else the list. */
const nextOf = (next: string | undefined) => (next !== undefined && HERE.test(next) ? next : '/');
/** A button that is pressed twice keeps its key; a form that is filled in differently after going back gets another one. */
const keyFor = (key: string, filledIn: Record<string, string>) =>
  `${key} ${hashOf(JSON.stringify(filledIn)).toString('hex').slice(0, 16)}`;
const wordsOf = (error: z.ZodError) =>
  visible(error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));

/** The fields of a form; one that was left empty counts as not given. */
async function formOf(c: Context): Promise<Record<string, string>> {
  const body = await c.req.parseBody().catch(() => {
    throw new Problem(400, 'The form cannot be read');
  });
  const entries = Object.entries(body);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== ''),
  );
}
