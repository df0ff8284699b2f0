import { join } from 'node:path';
import { hashOf, Keys, type Role } from '../../src/http/keys';
import { startServer, type ApiServer } from '../../src/http/server';
import type { OnboardView } from '../../src/onboard/view';
import type { World } from './world';

/** The key that may operate, unless a test gives others. */
export const KEY = 'key-of-the-shop';
const SHOP = { name: 'shop', role: 'operate' as Role, secret: KEY };

export interface Answer {
  status: number;
  headers: Headers;
  /** The body as JSON, or as text if it was none. */
  body: unknown;
  /** How long it took, ms. */
  ms: number;
}

interface Call {
  body?: unknown;
  /** Null: no key is sent. */
  key?: string | null;
  headers?: Record<string, string>;
}

/** Where the log-ins of a world are kept. */
export const sessionsOf = ({ config }: Pick<World, 'config'>) =>
  join(process.env.TEST_FOLDER ?? '', 'sessions', config.taskQueue);

/** Our API on a port of its own, over the client of a world. */
export class Api {
  private constructor(private readonly server: ApiServer) {}

  static async start(
    { onboards, config }: Pick<World, 'onboards' | 'config'>,
    people: { name: string; role: Role; secret: string }[] = [SHOP],
    mostUnderWay?: number,
  ): Promise<Api> {
    const keys = new Keys(people.map(({ secret, ...key }) => ({ ...key, hash: hashOf(secret) })));
    const { completedStatus } = config.leadconduit;
    const pages = { sessionsFolder: sessionsOf({ config }), neighbours: () => ({}) };
    const deps = { onboards, keys, completedStatus, mostUnderWay, ...pages };
    return new Api(await startServer(deps, { host: '127.0.0.1', port: 0 }));
  }

  get url(): string {
    return this.server.url;
  }

  close(): Promise<void> {
    return this.server.close();
  }

  /** A body that is a text or bytes is sent as it is. */
  async call(method: string, path: string, { body, key = KEY, headers = {} }: Call = {}): Promise<Answer> {
    const began = performance.now();
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Basic ${btoa(`API:${key}`)}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const ms = performance.now() - began;
    return { status: response.status, headers: response.headers, body: parsed(text), ms };
  }

  get(path: string, call?: Call): Promise<Answer> {
    return this.call('GET', path, call);
  }
  post(path: string, body: unknown, call?: Call): Promise<Answer> {
    return this.call('POST', path, { body, ...call });
  }
  put(path: string, body: unknown, call?: Call): Promise<Answer> {
    return this.call('PUT', path, { body, ...call });
  }

  /** `POST /onboards` that waits for up to `wait` seconds. */
  create(request: { invitation_id: string; flow_id?: string; label?: string }, wait?: number): Promise<Answer> {
    return this.post('/onboards', request, { headers: wait === undefined ? {} : { prefer: `wait=${wait}` } });
  }

  async state(id: string): Promise<OnboardView> {
    const { status, body } = await this.get(`/onboards/${id}/state`);
    if (status !== 200) throw new Error(`the state of ${id}: ${status} ${JSON.stringify(body)}`);
    return body as OnboardView;
  }

  /** Waits for a state; on a time-out, the error shows the last one. */
  async until(id: string, is: (state: OnboardView) => boolean): Promise<OnboardView> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const state = await this.state(id);
      if (is(state)) return state;
      if (Date.now() > deadline) throw new Error(`never so: ${JSON.stringify(state, null, 1)}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

/** Waits until the condition holds, asking without a pause; gives up after 20 s. */
export async function eventually(isSo: () => Promise<boolean>, waitMs = 20_000): Promise<void> {
  const deadline = Date.now() + waitMs;
  while (!(await isSo())) if (Date.now() > deadline) throw new Error(`never so: ${isSo.toString()}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
