import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { openAttention, type Command, type OnboardsClient } from '../client';
import type { Config } from '../config';
import { hasReached, isStatus } from '../onboard/lifecycle';
import type { OnboardState } from '../workflows/messages';
import type { Access } from './access';
import { attentionProblem, stateAddress } from './attention';
import type { Waiting } from './load';
import { Problem } from './problems';
import { Recent } from './recent';
import * as schemas from './schemas';

const WAIT_MS = 30_000;
const MOST_WAIT_MS = 60_000;

export interface ApiDeps {
  onboards: OnboardsClient;
  completedStatus: Config['leadconduit']['completedStatus'];
  /** More requests of one key at once are refused. */
  mostUnderWay?: number;
}

/** A request that was let in. */
type Let = { Variables: Access['Variables'] & Waiting['Variables'] };

const json = <Schema extends z.ZodType>(schema: Schema) => ({ 'application/json': { schema } });
const failing = (...statuses: number[]) =>
  Object.fromEntries(
    statuses.map((status) => [status, { description: ABOUT[status]!, content: json(schemas.ErrorBody) }]),
  );
const ABOUT: Record<number, string> = {
  400: 'What was sent is not well formed, or LeadConduit refused it',
  401: 'The key is missing or not known here',
  403: 'This key may only read',
  404: 'Not known here',
  405: 'No such method here',
  409: 'In conflict, or a person has to decide: `Location` has the state',
  413: 'Too large',
  415: 'Not JSON',
  422: 'LeadConduit refused it',
  500: 'A bug of ours',
  502: 'LeadConduit refuses our key',
  503: 'Too much at once, or Temporal or a worker is away: try again, nothing is done twice',
  504: 'It took too long',
};
const ALWAYS = [400, 401, 405, 500, 503, 504] as const;
const security = [{ key: [] }];
const underWay = {
  description: 'Accepted, and still under way when the wait ended',
  headers: z.object({ Location: z.string(), 'Retry-After': z.string() }),
  content: json(schemas.State),
};

/** LeadConduit's own calls for onboards, kept from happening twice, and what goes beyond them. */
export function api({ onboards, completedStatus }: ApiDeps): OpenAPIHono<Let> {
  const app = new OpenAPIHono<Let>();
  const recent = new Recent();

  const create = createRoute({
    method: 'post',
    path: '/onboards',
    summary: 'Onboards the buyer of an invitation, once: a repeat is answered with the onboard that exists',
    security,
    request: {
      headers: schemas.WaitHeader,
      body: { content: json(schemas.CreateRequest), required: true },
    },
    responses: {
      201: {
        description: 'The record; of a repeat with `Idempotent-Replayed: true`',
        content: json(schemas.OnboardRecord),
      },
      202: underWay,
      ...failing(...ALWAYS, 403, 404, 409, 413, 415, 422, 502),
    },
  });
  app.openapi(create, async (c) => {
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
    if (state.phase === 'cancelled')
      throw new Problem(409, 'It was cancelled before it was there; asked for again, it is followed again', {
        Location: stateAddress(state),
      });
    c.header('Location', stateAddress(state));
    c.header('Retry-After', '5');
    return c.json(schemas.describesState(state), 202);
  });

  const list = createRoute({
    method: 'get',
    path: '/onboards',
    summary: 'All onboards that were made here, oldest first; a page of them only where `limit` asks for one',
    security,
    request: {
      query: z.object({
        limit: z
          .string()
          .regex(/^([1-9]\d{0,2}|1000)$/, 'must be a number from 1 to 1000')
          .transform(Number)
          .optional()
          .openapi({ type: 'integer', minimum: 1, maximum: 1_000, pattern: undefined }),
        after: z
          .string()
          .regex(/^[0-9a-fA-F]{24}$/, 'must be 24 hexadecimal digits')
          .optional()
          .openapi({ description: 'An onboard id: the page that follows it. `Link` has it.' }),
      }),
    },
    responses: {
      200: { description: 'A bare array', content: json(z.array(schemas.OnboardRecord)) },
      ...failing(...ALWAYS, 404),
    },
  });
  app.openapi(list, async (c) => {
    const { limit, after } = c.req.valid('query');
    const all = recent.completing(await onboards.records());
    const from = after === undefined ? 0 : all.findIndex(({ id }) => sameId(id, after)) + 1;
    if (after !== undefined && from === 0) throw new Problem(404, `after: no onboard ${after} is known here`);
    const page = all.slice(from, limit === undefined ? undefined : from + limit);
    const last = page.at(-1);
    if (limit !== undefined && last && from + limit < all.length)
      c.header('Link', `</onboards?limit=${limit}&after=${last.id}>; rel="next"`);
    return c.json(page, 200);
  });

  const replace = createRoute({
    method: 'put',
    path: '/onboards/{id}',
    summary: 'Moves an onboard on to the status of the record that is sent',
    security,
    request: {
      params: z.object({ id: schemas.IdParam.shape.id.openapi({ description: 'The onboard.' }) }),
      headers: schemas.WaitHeader.extend(schemas.KeyHeader.shape),
      body: { content: json(schemas.Replacement), required: true },
    },
    responses: {
      200: { description: 'The record', content: json(schemas.OnboardRecord) },
      202: underWay,
      ...failing(...ALWAYS, 403, 404, 409, 413, 415, 422, 502),
    },
  });
  app.openapi(replace, async (c) => {
    const wanted = c.req.valid('json');
    const headers = c.req.valid('header');
    const state = await onboards.state(wanted.invitation_id, c.get('over'));
    const target = targetOf(wanted, state, c.req.valid('param').id);
    if (target === undefined) return c.json(state.record!, 200);
    const sent = await onboards.send(wanted.invitation_id, {
      name: 'advance',
      to: target,
      flow_id: wanted.flow_id ?? undefined,
      by: c.get('key').name,
      key: headers['idempotency-key'],
    });
    // What is held waits for a person.
    const isOver = (now: OnboardState) =>
      hasReached(now.status, target) || now.attention !== undefined || now.phase === 'held';
    const end = await onboards.follow(sent, waitOf(headers.prefer), isOver, c.get('over'));
    if (hasReached(end.status, target)) return c.json(end.record!, 200);
    if (end.attention) throw attentionProblem(end);
    c.header('Location', stateAddress(end));
    c.header('Retry-After', '5');
    return c.json(schemas.describesState(end), 202);
  });

  /** What is left to be asked for; undefined when the record stands there already.
   *  @throws {Problem} for a record that this onboard cannot become */
  const targetOf = (wanted: z.output<typeof schemas.Replacement>, state: OnboardState, id: string) => {
    const { record } = state;
    // The state is found by an onboard id, too.
    if (!record || !sameId(record.id, id) || !sameId(state.invitation_id, wanted.invitation_id))
      throw new Problem(404, `No onboard ${id} of invitation ${wanted.invitation_id} is known here`);
    for (const field of ['id', 'account_id', 'connection_id'] as const)
      if (wanted[field] && !sameId(wanted[field], record[field] ?? undefined))
        throw new Problem(409, `${field}: is not the one of this onboard, and cannot be changed`);
    const status = wanted.status === completedStatus ? 'completed' : (wanted.status ?? state.status);
    const flow = state.requested_flow_id ?? record.flow_id ?? undefined;
    const isSameFlow = !wanted.flow_id || sameId(wanted.flow_id, flow);
    if (status === state.status && isSameFlow) return undefined;
    if (status === state.status)
      throw new Problem(409, 'flow_id: is set together with a status: send it with in_progress or completed');
    if (!isStatus(status)) throw new Problem(400, `status: must be created, in_progress or ${completedStatus}`);
    if (status === 'created' || hasReached(state.status, status))
      throw new Problem(409, `status: this onboard is at ${state.status ?? 'none'}, and never goes back`);
    return status;
  };

  for (const path of ['/onboards/{id}', '/onboards/{id}/state'] as const) {
    const ask = createRoute({
      method: 'get',
      path,
      summary:
        path === '/onboards/{id}'
          ? "Where an onboard stands, with its record's own fields beside it"
          : 'Where an onboard stands',
      security,
      request: { params: schemas.IdParam },
      responses: {
        200: {
          description: 'The state',
          content: json(path === '/onboards/{id}' ? schemas.State.loose() : schemas.State),
        },
        ...failing(...ALWAYS, 404, 409),
      },
    });
    app.openapi(ask, async (c) => {
      const state = await onboards.state(c.req.valid('param').id, c.get('over'));
      return c.json(path === '/onboards/{id}' ? { ...state.record, ...state } : state, 200);
    });
  }

  for (const name of Object.keys(schemas.MESSAGES) as (keyof typeof schemas.MESSAGES)[]) {
    const message = createRoute({
      method: 'post',
      path: `/onboards/{id}/${name}`,
      summary: SUMMARIES[name],
      security,
      request: {
        params: schemas.IdParam,
        headers: schemas.KeyHeader,
        // Those that need nothing said come without one, too.
        body: { content: json(schemas.MESSAGES[name]), required: !schemas.MESSAGES[name].safeParse({}).success },
      },
      responses: {
        200: { description: 'The state right after it', content: json(schemas.State) },
        ...failing(...ALWAYS, 403, 404, 409, 413, 415),
      },
    });
    app.openapi(message, async (c) => {
      const { id } = c.req.valid('param');
      const body = c.req.valid('json');
      const key = c.req.valid('header')['idempotency-key'] ?? body.key;
      const by = body.by === undefined ? c.get('key').name : `${body.by} (via ${c.get('key').name})`;
      if ('text' in body) {
        await onboards.note(id, { ...body, by, key });
        return c.json(schemas.describesState(await onboards.state(id)), 200);
      }
      // Named or with a key, it answers one question only, however often it comes.
      const isNamed = !('action' in body) || body.attention !== undefined || key !== undefined;
      const named = !isNamed && { attention: openAttention(await onboards.state(id)) };
      const state = await onboards.send(id, { ...body, ...named, name, by, key } as Command);
      return c.json(schemas.describesState(state), 200);
    });
  }
  return app;
}

const SUMMARIES = {
  advance: 'Lets an onboard go on; completing sets up delivery, e-mails the seller and cannot be undone',
  resolve: 'Answers the attention that is open',
  hold: 'Sends nothing until it is released',
  release: 'Goes on after a hold',
  cancel: 'Stops following the onboard; what is in LeadConduit stays there',
  note: 'Puts a line into the timeline',
};

const sameId = (one: string, other: string | undefined) => one.toLowerCase() === other?.toLowerCase();

function waitOf(prefer: string | undefined): number {
  const [, seconds] = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?/i.exec(prefer ?? '') ?? [];
  return seconds === undefined ? WAIT_MS : Math.min(Number(seconds) * 1_000, MOST_WAIT_MS);
}
