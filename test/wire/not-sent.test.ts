/** A call is taken for unsent only where its connection proves it. */
import dns from 'node:dns';
import { once } from 'node:events';
import https from 'node:https';
import net, { type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { outcomeOf } from '../../src/activities/outcome-of-error';
import type { LeadConduitOptions, WireEvent } from '../../src/leadconduit/client';
import { EFFECT_NAMES } from '../../src/onboard/lifecycle';
import {
  client,
  closers,
  elsewhere,
  failure,
  INVITATION,
  json,
  KEY,
  listen,
  OPERATIONS,
  rawServer,
  RECORD,
  reply,
  right,
  run,
  SHORT_MS,
  type Protocol,
} from '../support/wire';

describe('not sent, proven by the connection', () => {
  async function secureServer(identity: { key: string; cert: string }) {
    const seen = { requests: 0, connections: 0 };
    const server = https.createServer(identity, (request, response) => {
      seen.requests += 1;
      request.resume().on('end', () => response.end(JSON.stringify(request.method === 'GET' ? [RECORD] : RECORD)));
    });
    server.on('connection', () => (seen.connections += 1));
    return { seen, baseUrl: `https://127.0.0.1:${await listen(server)}` };
  }

  /** A port whose backlog is full, of a thread that never accepts: the system drops whoever else wants to connect. */
  async function blackHole(): Promise<string> {
    const code = `const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('node:worker_threads').parentPort.postMessage(server.address().port);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
    const worker = new Worker(code, { eval: true });
    closers.push(() => worker.terminate());
    const [port] = (await once(worker, 'message')) as [number];
    const fillers = Array.from({ length: 8 }, () => net.connect(port, '127.0.0.1').on('error', () => undefined));
    closers.push(() => fillers.forEach((socket) => socket.destroy()));
    await once(fillers[0]!, 'connect');
    return `127.0.0.1:${port}`;
  }

  async function refusing(protocol: Protocol): Promise<string> {
    const server = net.createServer();
    const port = await listen(server);
    server.close();
    await once(server, 'close');
    return `${protocol}://127.0.0.1:${port}`;
  }

  const answeringHandshakeWith = async (answer: (socket: Socket) => void) => {
    const server = net.createServer((socket) => socket.once('data', () => answer(socket)));
    return { baseUrl: `https://127.0.0.1:${await listen(server)}` };
  };

  /** The system's own resolver may take its time, or be led to answer with somebody's address. */
  const unresolved = (code: string, protocol: Protocol = 'http') => {
    const lookup = jest.spyOn(dns, 'lookup').mockImplementation((...args: unknown[]) => {
      const answer = args.at(-1) as (error: Error) => void;
      process.nextTick(answer, Object.assign(new Error(code), { code, syscall: 'getaddrinfo' }));
    });
    closers.push(() => lookup.mockRestore());
    return Promise.resolve({ baseUrl: `${protocol}://nobody.invalid` });
  };

  const hang = { timeoutMs: SHORT_MS };
  const BEFORE_SENDING: [string, () => Promise<Partial<LeadConduitOptions> & { baseUrl: string }>, RegExp][] = [
    ['refused', async () => ({ baseUrl: await refusing('http') }), /^connection refused \(ECONNREFUSED\)$/],
    [
      'refused, over https',
      async () => ({ baseUrl: await refusing('https') }),
      /^connection refused \(ECONNREFUSED\)$/,
    ],
    [
      'no answer to the connect',
      async () => ({ baseUrl: `http://${await blackHole()}`, ...hang }),
      /^no connection within 2 s$/,
    ],
    [
      'no answer to the connect, over https',
      async () => ({ baseUrl: `https://${await blackHole()}`, ...hang }),
      /^no connection within 2 s$/,
    ],
    ['unknown name', () => unresolved('ENOTFOUND'), /^host name not found \(ENOTFOUND\)$/],
    ['unknown name, over https', () => unresolved('ENOTFOUND', 'https'), /^host name not found \(ENOTFOUND\)$/],
    [
      'name that nobody can look up now',
      () => unresolved('EAI_AGAIN'),
      /^host name cannot be looked up .*\(EAI_AGAIN\)$/,
    ],
    [
      'a certificate nobody vouches for',
      async () => ({ ...(await secureServer(right)), ca: undefined }),
      /^certificate not trusted.*SELF_SIGNED/,
    ],
    [
      'a certificate for another name',
      async () => ({ ...(await secureServer(elsewhere)), ca: elsewhere.cert }),
      /^certificate is for another host name/,
    ],
    [
      'TLS that hangs',
      async () => ({ ...(await answeringHandshakeWith(() => undefined)), ...hang }),
      /^no connection within/,
    ],
    ['TLS that is reset', () => answeringHandshakeWith((socket) => socket.resetAndDestroy()), /ECONNRESET/],
    ['TLS that ends', () => answeringHandshakeWith((socket) => socket.end()), /ECONNRESET/],
    ['no TLS there', () => answeringHandshakeWith((s) => s.end(reply('400 Plain', ''))), /^no TLS connection/],
  ];

  test.each(BEFORE_SENDING)('%s', async (_, place, reason) => {
    const options = await place();
    let asked = 0;
    const it = client(options);
    for (const operation of OPERATIONS) {
      const error = await failure(run(it, operation, () => void (asked += 1)));
      expect(error).toMatchObject({ operation, sent: false, status: undefined, words: undefined, noSlot: false });
      expect(error.reason).toMatch(reason);
      for (const effect of EFFECT_NAMES) expect(outcomeOf(error, effect).kind).toBe('not_sent');
    }
    expect(asked).toBe(0);
    if ('seen' in options) expect(options.seen).toEqual({ requests: 0, connections: 3 });
  });

  test('when the time is up, a connection that is not open yet is given up', async () => {
    const server = net.createServer();
    const it = client({ baseUrl: `https://127.0.0.1:${await listen(server)}`, ...hang });
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const error = failure(run(it, 'create'));
    const [socket] = await accepted;
    socket.resume();
    await once(socket, 'close'); // the client has hung up: nothing that the server says now can make it send
    expect((await error).sent).toBe(false);
  });

  test('over TLS: looks, creates and puts', async () => {
    const { baseUrl, seen } = await secureServer(right);
    const it = client({ baseUrl, ca: right.cert });
    for (const operation of ['look', 'look', 'create', 'put'] as const) await run(it, operation);
    expect(seen).toEqual({ requests: 4, connections: 3 });
  });

  describe.each(['http', 'https'])('the gate, over %s', (protocol) => {
    async function upstream() {
      if (protocol === 'https') return { ...(await secureServer(right)), ca: right.cert };
      const raw = await rawServer((socket) => void socket.end(json('200 OK', RECORD)));
      return { baseUrl: raw.baseUrl, seen: raw.seen };
    }

    test.each([
      ['says no', () => 'the look is too old', 'the look is too old'],
      [
        'throws',
        () => {
          throw new Error(KEY);
        },
        'the last check before sending failed',
      ],
    ])('%s: no byte of the request is seen', async (_, gate, reason) => {
      const { seen, ...options } = await upstream();
      const stages: string[] = [];
      const it = client({ ...options, onStage: ({ stage }) => stages.push(stage) });
      expect(await failure(run(it, 'create', gate))).toMatchObject({ sent: false, reason, noSlot: false });
      expect(stages).toEqual(['connecting']);
      await run(it, 'create'); // its answer comes after anything that the first could have sent
      expect(seen).toMatchObject({ connections: 2 });
      expect('bytes' in seen ? seen.requests.length : seen.requests).toBe(1);
    });

    test('is asked once, after the connection is open and before anything is sent', async () => {
      const options = await upstream();
      const events: (WireEvent | string)[] = [];
      const onStage = (event: WireEvent) => {
        events.push(event);
        throw new Error('a watcher that fails changes nothing');
      };
      await run(client({ ...options, onStage }), 'create', () => void events.push('gate'));
      const at = (stage: string) => ({ operation: 'create', stage, invitationId: INVITATION });
      expect(events).toEqual([at('connecting'), 'gate', at('open'), at('sent'), at('answered')]);
    });
  });
});
