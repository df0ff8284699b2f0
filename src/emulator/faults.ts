import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { HexId, type OnboardRecord } from '../leadconduit/schema';
import type { Answer, Call } from './leadconduit-api';
import { METHODS, newId, newRecord } from './ledger';

const DAY = 86_400_000;
export const Milliseconds = z.int().min(0).max(DAY);

const Fault = z.strictObject({
  on: z.enum(METHODS),
  /** `before`: the fault comes instead of the effect (`slow` only delays the effect). `after`: it comes after the effect. */
  when: z.enum(['before', 'after']),
  /** The last three are for lists: `partial` leaves out the newest records, `page` also says so, `stale` is the list of `ms` ago. */
  do: z.enum(['reset', 'hang', 'slow', 'status', 'html', 'truncate', 'foreign', 'partial', 'page', 'stale']),
  status: z.int().min(200).max(599).optional(),
  /** Seconds or a date, as in the header. */
  retry_after: z.union([z.int().min(0), z.string().regex(/^[\x20-\x7e]+$/)]).optional(),
  ms: Milliseconds.optional(),
  /** How many records `partial` and `page` keep; half of them by default. */
  keep: z.int().min(0).optional(),
  times: z.int().min(1).default(1),
  /** Hits only calls that name this invitation. A GET names none, so with this a fault on GET never comes. */
  invitation_id: HexId.optional(),
});
type Fault = z.output<typeof Fault>;
export const FaultList = z.array(Fault);

export function send(res: ServerResponse, { status, body, headers }: Answer): void {
  const bytes = typeof body === 'string' ? body : JSON.stringify(body);
  const type = typeof body === 'string' ? 'text/html' : 'application/json';
  res.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(bytes), ...headers }).end(bytes);
}

/** The planned faults. Each says beforehand which calls it hits, so that a test can assert on it. */
export class Faults {
  private planned: Fault[] = [];
  private readonly hanging = new Set<Socket>();

  /** @param signal ends all waits, without the effects that were to follow */
  constructor(private readonly signal: AbortSignal) {}

  left(): Fault[] {
    return this.planned;
  }

  plan(faults: Fault[]): Fault[] {
    this.planned = faults;
    return faults;
  }

  /** Drops the planned faults, and the connections of calls that hang. */
  clear(): Fault[] {
    for (const socket of this.hanging) socket.destroy();
    return this.plan([]);
  }

  async answer(call: Call, res: ServerResponse): Promise<void> {
    const fault = this.take(call);
    if (!fault) {
      send(res, call.act());
      return;
    }
    const answer = fault.when === 'after' ? call.act() : call.rehearse();
    const headers: Answer['headers'] = fault.retry_after === undefined ? {} : { 'retry-after': `${fault.retry_after}` };
    switch (fault.do) {
      case 'reset':
        res.socket?.resetAndDestroy();
        break;
      case 'hang':
        await this.hang(res, fault.ms);
        break;
      case 'slow':
        await sleep(fault.ms ?? 1_000, undefined, { signal: this.signal });
        send(res, fault.when === 'after' ? answer : call.act());
        break;
      case 'status':
        send(res, { status: fault.status ?? 500, body: { error: 'a fault of the emulator' }, headers });
        break;
      case 'html':
        send(res, { status: fault.status ?? 502, body: '<html><body><h1>Bad gateway</h1></body></html>', headers });
        break;
      case 'truncate':
        truncate(res, answer);
        break;
      case 'foreign':
        send(res, { status: call.method === 'POST' ? 201 : 200, body: foreign(answer.body) });
        break;
      case 'partial':
        send(res, { ...answer, body: part(answer.body, fault.keep).kept });
        break;
      case 'page': {
        const { kept, all } = part(answer.body, fault.keep);
        const more = { link: '</onboards?page=2>; rel="next"', 'x-total-count': String(all) };
        send(res, { ...answer, body: kept, headers: more });
        break;
      }
      case 'stale':
        send(res, call.rehearse(fault.ms ?? 60_000));
    }
  }

  private take({ method, invitations }: Call): Fault | undefined {
    const hits = ({ on, invitation_id: id }: Fault) => on === method && (!id || invitations.includes(id.toLowerCase()));
    const fault = this.planned.find(hits);
    if (fault && --fault.times === 0) this.planned = this.planned.filter((other) => other !== fault);
    return fault;
  }

  private async hang(res: ServerResponse, ms?: number): Promise<void> {
    const { socket } = res;
    if (!socket) return;
    this.hanging.add(socket);
    res.once('close', () => this.hanging.delete(socket));
    if (ms === undefined) return;
    await sleep(ms, undefined, { signal: this.signal });
    socket.destroy();
  }
}

function truncate(res: ServerResponse, { status, body }: Answer): void {
  const bytes = Buffer.from(JSON.stringify(body));
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length });
  res.write(bytes.subarray(0, bytes.length / 2), () => res.destroy());
}

/** The oldest records of a list, as on a first page. */
function part(body: unknown, keep: number | undefined) {
  const list = Array.isArray(body) ? (body as unknown[]) : [];
  return { kept: list.slice(0, keep ?? Math.floor(list.length / 2)), all: list.length };
}

/** The same answer, but about onboards that nobody asked for. For an error or an empty list it makes one up. */
function foreign(body: unknown): unknown {
  if (Array.isArray(body)) return (body.length > 0 ? body : [{}]).map(foreign);
  const { status } = { ...newRecord(newId()), ...(body as Partial<OnboardRecord>) };
  return { ...newRecord(newId(), newId()), status };
}
