import { OpenAPIHono, type z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { OnboardsClient } from '../../client';
import type { Config } from '../../config';
import { MESSAGE_NAMES } from '../../onboard/actions';
import { effectiveFlow } from '../../onboard/flow';
import { sameId } from '../../onboard/ids';
import { hasReached, isStatus, type Status } from '../../onboard/lifecycle';
import type { Message } from '../../onboard/parse-message';
import type { OnboardView } from '../../onboard/view';
import { attributionOf, refuseReaders, withKey, type Access } from '../access';
import type { Guesses } from '../guesses';
import { atMost, bodyAtMost, inUtf8, type Waiting } from '../load';
import { ofOurUpstream } from '../our-upstream';
import { Problem } from '../problems';
import { attentionProblem, stateAddress } from './attention-problem';
import { Recent } from './recent';
import * as definitions from './definitions';
import type * as schemas from './schemas';

const WAIT_MS = 30_000;
const MOST_WAIT_MS = 60_000;
/** One key may have this many requests under way when no other key has any. Temporal's file database starts some 20
 *  onboards a second, so those that come last are answered within their wait. */
const MOST_UNDER_WAY = 128;

export interface ApiDeps {
  onboards: OnboardsClient;
  completedStatus: Config['leadconduit']['completedStatus'];
  guesses: Guesses;
  /** How many requests of one key may be under way at once; more are refused. */
  mostUnderWay?: number;
}

/** The variables of a request whose key was accepted. */
type Let = { Variables: Access['Variables'] & Waiting['Variables'] };

/**
 * LeadConduit's own calls for onboards, each kept from taking effect twice, and our additions to them. All of this is below
 * `/onboards` and needs a key.
 */
export function api({ onboards, completedStatus, guesses, mostUnderWay = MOST_UNDER_WAY }: ApiDeps): OpenAPIHono<Let> {
  const app = new OpenAPIHono<Let>();
  const recent = new Recent();

  app.use(withKey(guesses), refuseReaders, ofOurUpstream(onboards), bodyAtMost(1024 * 1024, '1 MB'));
  // Each path has places of its own, so that calls that wait for LeadConduit do not keep out operators' messages.
  for (const path of ['/', '/:id', '/:id/:what']) app.use(path, atMost(mostUnderWay, keyNameOf));
  app.use(inUtf8);

  app.openapi(definitions.createOnboard, async (c) => {
    const { invitation_id, flow_id, label } = c.req.valid('json');
    const request = { invitation_id, flow_id: flow_id ?? undefined, label: label ?? undefined, by: c.get('key').name };
    const waitMs = waitOf(c.req.valid('header').prefer);
    const { state, isNew } = await onboards.onboard(request, waitMs, c.get('over'));
    if (state.record) {
      recent.add(state.record);
      if (!isNew) c.header('Idempotent-Replayed', 'true');
      return c.json(state.record, 201);
    }
    if (state.attention) throw attentionProblem(state);
    if (state.phase === 'cancelled') throw cancelledProblem(state, 'created');
    return c.json(underWay(c, state), 202);
  });

  app.openapi(definitions.listOnboards, async (c) => {
    const { limit, after } = c.req.valid('query');
    const all = recent.completing(await onboards.lists.records());
    const from = after === undefined ? 0 : all.findIndex(({ id }) => sameId(id, after)) + 1;
    if (after !== undefined && from === 0) throw new Problem(404, `after: no onboard ${after} is known here`);
    const page = all.slice(from, limit === undefined ? undefined : from + limit);
    const last = page.at(-1);
    if (limit !== undefined && last && from + limit < all.length)
      c.header('Link', `</onboards?limit=${limit}&after=${last.id}>; rel="next"`);
    return c.json(page, 200);
  });

  app.openapi(definitions.replaceOnboard, async (c) => {
    const wanted = c.req.valid('json');
    const headers = c.req.valid('header');
    const onboard = onboards.get(wanted.invitation_id, c.get('over'));
    const state = await onboard.state();
    const target = targetOf(wanted, state, { id: c.req.valid('param').id, completedStatus });
    if (target === undefined) return c.json(state.record!, 200);
    const sent = await onboard.send({
      name: 'advance',
      to: target,
      flow_id: wanted.flow_id ?? undefined,
      by: c.get('key').name,
      key: headers['idempotency-key'],
    });
    // A held onboard waits for a person.
    const isOver = (now: OnboardView) =>
      hasReached(now.status, target) || now.attention !== undefined || now.phase === 'held';
    const end = await onboard.follow(sent, waitOf(headers.prefer), isOver, c.get('over'));
    if (hasReached(end.status, target)) return c.json(end.record!, 200);
    if (end.attention) throw attentionProblem(end);
    if (end.phase === 'cancelled') throw cancelledProblem(end, target);
    return c.json(underWay(c, end), 202);
  });

  app.openapi(definitions.getOnboard, async (c) => {
    const state = await onboards.get(c.req.valid('param').id, c.get('over')).state();
    return c.json({ ...state.record, ...state }, 200);
  });

  app.openapi(definitions.getState, async (c) =>
    c.json(await onboards.get(c.req.valid('param').id, c.get('over')).state(), 200),
  );

  for (const name of MESSAGE_NAMES)
    app.openapi(definitions.sendMessage(name), async (c) => {
      const body = c.req.valid('json');
      const key = c.req.valid('header')['idempotency-key'] ?? body.key;
      const message = { ...body, name, by: attributionOf(c, body.by), key } as Message;
      return c.json(await onboards.get(c.req.valid('param').id).send(message), 200);
    });
  return app;
}

const cancelledProblem = (state: OnboardView, target: Status) =>
  new Problem(409, `The onboard was cancelled before it was ${target}. To have it followed again, create it again`, {
    Location: stateAddress(state),
  });

const keyNameOf = (c: Context<Access>) => [c.get('key').name];

/** For an onboard that was accepted and is not there yet: tells the caller where and when to ask for it. */
function underWay(c: Context, state: OnboardView): OnboardView {
  c.header('Location', stateAddress(state));
  c.header('Retry-After', '5');
  return state;
}

/**
 * The status that the sent record asks for; undefined when the onboard is there already.
 * @throws {Problem} for a record that this onboard cannot become
 */
function targetOf(
  wanted: z.output<typeof schemas.Replacement>,
  state: OnboardView,
  { id, completedStatus }: { id: string; completedStatus: string },
): Exclude<Status, 'created'> | undefined {
  const { record } = state;
  // `get` also finds an onboard by its own id, so check that the id is the invitation's.
  if (!record || !sameId(record.id, id) || !sameId(state.invitation_id, wanted.invitation_id))
    throw new Problem(404, `No onboard ${id} of invitation ${wanted.invitation_id} is known here`);
  for (const field of ['id', 'account_id', 'connection_id'] as const)
    if (wanted[field] && !sameId(wanted[field], record[field]))
      throw new Problem(409, `${field}: is not the one of this onboard, and cannot be changed`);
  const status = wanted.status === completedStatus ? 'completed' : (wanted.status ?? state.status);
  const isSameFlow = !wanted.flow_id || sameId(wanted.flow_id, effectiveFlow(state));
  if (status === state.status && isSameFlow) return undefined;
  if (status === state.status)
    throw new Problem(409, 'flow_id: is set together with a status: send it with in_progress or completed');
  if (!isStatus(status)) throw new Problem(400, `status: must be created, in_progress or ${completedStatus}`);
  if (status === 'created' || hasReached(state.status, status))
    throw new Problem(409, `status: this onboard is at ${state.status ?? 'none'}, and never goes back`);
  return status;
}

function waitOf(prefer: string | undefined): number {
  const [, seconds] = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?/i.exec(prefer ?? '') ?? [];
  return seconds === undefined ? WAIT_MS : Math.min(Number(seconds) * 1_000, MOST_WAIT_MS);
}
