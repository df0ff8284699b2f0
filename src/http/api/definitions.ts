/** The documentation of each call of our API below `/onboards`. The handlers are in `index.ts`. */
import { createRoute, z } from '@hono/zod-openapi';
import { MESSAGES, type MessageName } from '../../onboard/actions';
import { HEX24, HEX24_RULE } from '../../onboard/ids';
import * as schemas from './schemas';

const json = <Schema extends z.ZodType>(schema: Schema) => ({ 'application/json': { schema } });

const ABOUT = {
  400: 'What was sent is not well formed, or LeadConduit refused it',
  401: 'The key is missing or unknown',
  403: 'This key has the role read, which may change nothing',
  404: 'Not known here',
  405: 'No such method here',
  409: 'In conflict, or a person has to decide: `Location` has the state',
  413: 'Too large',
  415: 'Not JSON',
  422: 'LeadConduit refused it',
  500: 'A bug of ours',
  502: 'LeadConduit refuses our key',
  503: 'Too many requests at once, or Temporal or a worker does not answer. Repeat the request: nothing is done twice',
  504: 'It took too long',
} as const;
const failing = (...statuses: (keyof typeof ABOUT)[]) =>
  Object.fromEntries(
    statuses.map((status) => [status, { description: ABOUT[status], content: json(schemas.ErrorBody) }]),
  );
const ALWAYS = [400, 401, 405, 500, 503, 504] as const;
const security = [{ key: [] }];
const underWay = {
  description: 'Accepted, and still under way when the wait ended',
  headers: z.object({ Location: z.string(), 'Retry-After': z.string() }),
  content: json(schemas.State),
};

export const createOnboard = createRoute({
  method: 'post',
  path: '/',
  summary: 'Onboards the buyer of an invitation, once: a repeat is answered with the onboard that exists',
  security,
  request: {
    headers: schemas.WaitHeader,
    body: { content: json(schemas.CreateRequest), required: true },
  },
  responses: {
    201: {
      description: 'The record. The answer to a repeat has the header `Idempotent-Replayed: true`',
      content: json(schemas.OnboardRecord),
    },
    202: underWay,
    ...failing(...ALWAYS, 403, 404, 409, 413, 415, 422, 502),
  },
});

export const listOnboards = createRoute({
  method: 'get',
  path: '/',
  summary: 'All onboards that are known here, oldest first. With `limit`, one page of them',
  security,
  request: {
    query: z.object({
      limit: z
        .string()
        .regex(/^([1-9]\d{0,2}|1000)$/, 'must be a number from 1 to 1000')
        .transform(Number)
        .optional()
        .openapi({ type: 'integer', minimum: 1, maximum: 1_000, pattern: undefined }),
      after: z.string().regex(HEX24, HEX24_RULE).optional().openapi({
        description: 'An onboard id: the page begins after this onboard. `Link` has the address of the next page.',
      }),
    }),
  },
  responses: {
    200: { description: 'A bare array', content: json(z.array(schemas.OnboardRecord)) },
    ...failing(...ALWAYS, 404),
  },
});

export const replaceOnboard = createRoute({
  method: 'put',
  path: '/{id}',
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

export const getOnboard = createRoute({
  method: 'get',
  path: '/{id}',
  summary: "Where an onboard stands, with its record's own fields beside it",
  security,
  request: { params: schemas.IdParam },
  responses: {
    200: { description: 'The state', content: json(schemas.State.loose()) },
    ...failing(...ALWAYS, 404, 409),
  },
});

export const getState = createRoute({
  method: 'get',
  path: '/{id}/state',
  summary: 'Where an onboard stands',
  security,
  request: { params: schemas.IdParam },
  responses: {
    200: { description: 'The state', content: json(schemas.State) },
    ...failing(...ALWAYS, 404, 409),
  },
});

/** `POST /onboards/{id}/<message>`, one for each message. */
export const sendMessage = (name: MessageName) =>
  createRoute({
    method: 'post',
    path: `/{id}/${name}`,
    summary: MESSAGES[name].does,
    security,
    request: {
      params: schemas.IdParam,
      headers: schemas.KeyHeader,
      // Messages without a required field may come without a body.
      body: { content: json(schemas.BODIES[name]), required: !schemas.BODIES[name].safeParse({}).success },
    },
    responses: {
      200: { description: 'The state right after it', content: json(schemas.State) },
      ...failing(...ALWAYS, 403, 404, 409, 413, 415),
    },
  });
