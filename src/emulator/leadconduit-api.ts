import { z } from 'zod';
import { CreateRequest, HexId, type OnboardRecord } from '../leadconduit/schema';
import { newRecord, type Entry, type Ledger, type Method } from './ledger';

export interface Request {
  method: string;
  path: string;
  authorization: string | undefined;
  contentType: string | undefined;
  /** Undefined when it was too large to be kept. */
  body: Buffer | undefined;
}

export interface Answer {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

/** A request that LeadConduit accepts. Its answer and its effect are separate, so that a fault can come between them. */
export interface Call {
  method: Method;
  /** The user name that the caller sent. */
  from: string;
  /** In lower case; the one that the caller named comes first. */
  invitations: string[];
  /** The answer that `act` would give now, without its effect; for a list, the answer that it would have given `agoMs` ago. */
  rehearse(agoMs?: number): Answer;
  act(): Answer;
}

interface Decision {
  answer: Answer;
  effect?: Entry;
}

/** Where an account differs from the documentation. */
export interface Options {
  /** How long a created onboard takes to be listed, in ms. */
  lag_ms: number;
  hide_created: boolean;
  /** The only key that is accepted; null accepts any. */
  key: string | null;
}

const USER = { id: '5fd4371e940df5a34a388800' };
/** Both set up delivery: two pages of the reference say `completed`, one page says the other. */
const COMPLETING = ['completed', 'completed_flows_sync'];
const ALLOWED: Record<string, string[]> = { '/onboards': ['GET', 'POST'], '/user': ['GET'] };

/** A field left out is lost: the whole record is replaced. */
const Replacement = z.object({
  invitation_id: HexId,
  account_id: HexId.nullable().default(null),
  connection_id: HexId.nullable().default(null),
  flow_id: HexId.nullable().default(null),
  // An explicit null is refused: a status is a string.
  status: z.optional(z.string()).transform((status) => status ?? null),
});

export const refuse = (status: number, error: string, headers = {}): Answer => ({ status, body: { error }, headers });

/** Passes a body that fits the schema to `use`; answers any other with a refusal that says what is wrong. */
export function read<T, R>(schema: z.ZodType<T>, body: Buffer | undefined, use: (data: T) => R): R | Answer {
  if (body === undefined) return refuse(413, 'the body is larger than 1 MB');
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    return refuse(400, 'the body is not JSON');
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return use(parsed.data);
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  return refuse(400, problems.join('; '));
}

/** LeadConduit as its reference documents it, without faults: a request is refused at once or becomes a call. */
export function leadconduit(ledger: Ledger, options: Options): (request: Request) => Answer | Call {
  const call = (from: string, method: Method, invitations: string[], decide: (agoMs?: number) => Decision): Call => ({
    method,
    from,
    invitations: invitations.map((id) => id.toLowerCase()),
    rehearse: (agoMs) => decide(agoMs).answer,
    act: () => {
      const { answer, effect } = decide();
      if (effect) ledger.append({ ...effect, from });
      return answer;
    },
  });
  const list = (agoMs = 0) => {
    const listedSince = Date.now() - options.lag_ms;
    const isHidden = (record: OnboardRecord) =>
      options.hide_created || Date.parse(record.created_at ?? '') > listedSince;
    const records = agoMs > 0 ? ledger.before(Date.now() - agoMs) : ledger.now();
    return {
      answer: { status: 200, body: records.filter((record) => !(ledger.isPosted(record) && isHidden(record))) },
    };
  };
  const create = ({ invitation_id, flow_id }: z.output<typeof CreateRequest>) => {
    const record = newRecord(invitation_id, flow_id ?? null);
    return { answer: { status: 201, body: record }, effect: { effect: 'created' as const, record } };
  };
  const replace = (id: string, fields: z.output<typeof Replacement>) => {
    const found = ledger.find(id);
    if (!found) return { answer: refuse(404, 'no such onboard') };
    const { invitation_id } = found;
    if (invitation_id.toLowerCase() !== fields.invitation_id.toLowerCase())
      return { answer: refuse(400, 'invitation_id: is not the one of this onboard') };
    const record = { ...found, ...fields, invitation_id, updated_at: new Date().toISOString() };
    const effect = COMPLETING.includes(record.status ?? '') ? ('completed' as const) : ('replaced' as const);
    return { answer: { status: 200, body: record }, effect: { effect, record } };
  };

  return ({ method, path, authorization, contentType, body }) => {
    const id = /^\/onboards\/([^/]+)$/.exec(path)?.[1];
    const allowed = id === undefined ? ALLOWED[path] : ['PUT'];
    if (!allowed) return refuse(404, 'not found');
    if (!allowed.includes(method)) return refuse(405, 'method not allowed', { allow: allowed.join(', ') });
    const credentials = /^Basic +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
    const [, from = '', password] = /^(.*?):(.+)$/s.exec(Buffer.from(credentials, 'base64').toString('utf8')) ?? [];
    if (password === undefined || password !== (options.key ?? password))
      return refuse(401, 'unauthorized', { 'www-authenticate': 'Basic realm="LeadConduit"' });
    if (path === '/user') return call(from, 'GET', [], () => ({ answer: { status: 200, body: USER } }));
    if (method === 'GET') return call(from, 'GET', [], list);
    if (!/^application\/json *(;|$)/i.test(contentType ?? ''))
      return refuse(415, 'the content type must be application/json');
    if (id === undefined)
      return read(CreateRequest, body, (it) => call(from, 'POST', [it.invitation_id], () => create(it)));
    const ofRecord = ledger.find(id)?.invitation_id ?? [];
    return read(Replacement, body, (it) =>
      call(from, 'PUT', [it.invitation_id].concat(ofRecord), () => replace(id, it)),
    );
  };
}
