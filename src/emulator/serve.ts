import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { callerOf, hostnameIn, isLoopback, isSentFromElsewhere } from '../callers';
import { loadConfig, takeNoArguments } from '../config';
import { environmentFor, loadEnvironment } from '../environment';
import { ConfigError } from '../config-error';
import type { OnboardRecord } from '../leadconduit/schema';
import { leadconduit, read, refuse, type Answer, type Options } from './leadconduit-api';
import { FaultList, Faults, Milliseconds, send } from './faults';
import { isMethod, Ledger } from './ledger';

const MAX_BODY = 1024 * 1024;
const Change = z
  .strictObject({
    lag_ms: Milliseconds,
    hide_created: z.boolean(),
    key: z.string().min(1).nullable(),
    down_ms: Milliseconds,
  })
  .partial();

export interface EmulatorOptions {
  host?: string;
  /** 0 picks a free one. */
  port: number;
  /** Without one, everything is in memory only. */
  dataDir?: string;
  /** Onboards that somebody else made: `hide_created` does not hide them and the ledger does not count them. */
  records?: OnboardRecord[];
}

export interface Emulator {
  url: string;
  port: number;
  /** Cuts every connection. A call whose effect was still to come has none. */
  close(): Promise<void>;
}

/** Reads the body to its end, so that the caller gets to read the answer; undefined when it is too large. */
async function bodyOf(req: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) if ((size += chunk.length) <= MAX_BODY) chunks.push(chunk);
  return size <= MAX_BODY ? Buffer.concat(chunks) : undefined;
}

/** A listening server that can go down for a while and come back on its port. */
async function openDoor(host: string, wantedPort: number) {
  const closing = new AbortController();
  // Longer than callers keep a connection: closing one just as a call arrives would be a fault that nobody planned.
  const server = createServer({ keepAliveTimeout: 75_000 });
  const listen = async (port: number) => {
    server.listen(port, host);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const port = await listen(wantedPort);

  const goDown = async (res: ServerResponse, ms: number) => {
    if (!server.listening) return;
    // Refuse new connections even before the answer leaves, so that a caller that has the answer is sure to be refused.
    server.close();
    if (!res.closed) await once(res, 'close');
    server.closeAllConnections();
    await sleep(ms, undefined, { signal: closing.signal }).catch(() => undefined);
    if (!closing.signal.aborted) await listen(port);
  };
  const close = async () => {
    closing.abort();
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return { server, port, signal: closing.signal, goDown, close };
}

/** A stand-in for LeadConduit on a real socket, with `/_emulator/…` beside it to plan faults and count effects. */
export async function startEmulator(settings: EmulatorOptions): Promise<Emulator> {
  const host = settings.host ?? '127.0.0.1';
  // Listen before the file is opened: a second emulator must not touch the file of one that runs.
  const door = await openDoor(host, settings.port);
  try {
    const ledger = emulate(door, { ...settings, host });
    const close = async () => {
      await door.close();
      ledger.close();
    };
    return { url: `http://${host.includes(':') ? `[${host}]` : host}:${door.port}`, port: door.port, close };
  } catch (error) {
    await door.close();
    throw error;
  }
}

/** Else any page in a browser on this machine could plan faults and make onboards. Programs other than browsers send no origin. */
function refusalOf(req: IncomingMessage, own: string): Answer | undefined {
  const caller = callerOf(req);
  const name = caller.host === undefined ? own : hostnameIn(caller.host);
  if (name === undefined || !(isLoopback(name) || name === own))
    return refuse(421, `the Host is not one of the emulator's: it answers only to localhost, 127.0.0.1 and [::1]`);
  if (isSentFromElsewhere(caller)) return refuse(403, 'this was sent by a web page of another site: nothing was done');
  return undefined;
}

type Door = Awaited<ReturnType<typeof openDoor>>;
function emulate(door: Door, { host, dataDir, records = [] }: EmulatorOptions & { host: string }): Ledger {
  const ledger = new Ledger(dataDir);
  for (const record of records) if (!ledger.find(record.id)) ledger.append({ effect: 'seeded', record });
  const options: Options = { lag_ms: 0, hide_created: false, key: null };
  const understand = leadconduit(ledger, options);
  const faults = new Faults(door.signal);
  let inFlight = 0;

  const control = (request: string, body: Buffer | undefined, res: ServerResponse): Answer => {
    const ok = (answer: unknown): Answer => ({ status: 200, body: answer });
    switch (request) {
      case 'GET /_emulator/ledger':
        return ok(ledger.summary());
      case 'GET /_emulator/faults':
        return ok(faults.left());
      case 'PUT /_emulator/faults':
        return read(FaultList, body, (list) => ok(faults.plan(list)));
      case 'DELETE /_emulator/faults':
        return ok(faults.clear());
      case 'GET /_emulator/options':
        return ok(options);
      case 'PUT /_emulator/options':
        return read(Change, body, ({ down_ms, ...change }) => {
          if (down_ms !== undefined) void door.goDown(res, down_ms);
          return ok({ ...Object.assign(options, change), down_ms });
        });
      default:
        return refuse(404, 'not found');
    }
  };

  const reply = async (req: IncomingMessage, res: ServerResponse) => {
    const at = Date.now();
    const { method = '', url = '', headers } = req;
    const path = url.replace(/\?.*$/s, '');
    const refusal = refusalOf(req, host);
    if (refusal) {
      req.resume();
      send(res, refusal);
      return;
    }
    if (path.startsWith('/_emulator/')) {
      send(res, control(`${method} ${path}`, await bodyOf(req), res));
      return;
    }
    inFlight += 1;
    res.once('close', () => (inFlight -= 1));
    if (isMethod(method)) ledger.append({ call: method, in_flight: inFlight });
    const { authorization, 'content-type': contentType } = headers;
    const call = understand({ method, path, authorization, contentType, body: await bodyOf(req) });
    if ('status' in call) {
      send(res, call);
      return;
    }
    const [named] = call.invitations;
    if (named !== undefined) ledger.append({ named, by: call.method, from: call.from, at });
    await faults.answer(call, res);
  };
  door.server.on('request', (req, res) => {
    reply(req, res).catch((error: unknown) => {
      if (res.headersSent) res.destroy();
      else send(res, refuse(500, String(error)));
    });
  });
  return ledger;
}

async function main(): Promise<void> {
  takeNoArguments('npm run emulator', 'stands in for LeadConduit, and runs until it is told to end.');
  const { ports, dataDir } = loadConfig(environmentFor('emulator', loadEnvironment()));
  const emulator = await startEmulator({ port: ports.emulator, dataDir });
  console.log(`Emulator of LeadConduit on ${emulator.url} (records in ${dataDir})`);
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => void emulator.close());
}

if (require.main === module)
  main().catch((error: unknown) => {
    const { code, port, message } = error as NodeJS.ErrnoException & { port?: number };
    const isTaken = code === 'EADDRINUSE';
    console.error(isTaken ? `Port ${port} is in use: set EMULATOR_PORT to a free one` : message);
    process.exitCode = isTaken || error instanceof ConfigError ? 2 : 1;
  });
