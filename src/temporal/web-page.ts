import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { callerOf, hostnameIn, isLoopback, isSentFromElsewhere } from '../callers';
import { claimPort } from './ports';
import { devServer, secretHost, set, type HttpApi } from './dev-server';

export interface WebPageSettings {
  port: number;
  /** The HTTP API of the server that holds the onboards. */
  api: HttpApi;
  /** The Temporal CLI. */
  cli: string;
}

/** How long the server of the page's files runs on after the last request for a file. */
const IDLE_MS = 60_000;
const READY_MS = 30_000;

/**
 * Serves Temporal's web page behind a check of who asks. The page's own server answers to every Host, so any site that a
 * browser visits could read and steer the onboards through it (DNS rebinding), and no setting prevents that. So the server
 * that holds the onboards runs without a page. The page's files come from a second, empty Temporal server that runs while
 * somebody looks, and the page's calls go to the HTTP API of the first.
 */
export async function openWebPage({ port, api, cli }: WebPageSettings): Promise<{ close(): Promise<void> }> {
  const files = new Files(cli);
  const targetOf = async (url: string): Promise<Target> => {
    // The settings of the page's own server come from the server of its files.
    if (url.startsWith('/api/') && !url.startsWith('/api/v1/settings')) return callOf(url, api);
    const own = await files.port();
    return { port: own, path: url, headers: { host: `127.0.0.1:${own}` } };
  };
  const server = createServer((req, res) => {
    const refusal = refusalOf(req);
    if (refusal) return answer(res, ...refusal);
    targetOf(req.url ?? '/').then(
      (target) => handOn(req, res, target),
      (error: unknown) => answer(res, 503, `Temporal's web page is not available: ${(error as Error).message}`),
    );
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    async close() {
      server.close();
      server.closeAllConnections();
      await files.end();
    },
  };
}

function refusalOf(req: IncomingMessage): [status: number, words: string] | undefined {
  const caller = callerOf(req);
  if (!isLoopback(hostnameIn(caller.host ?? '') ?? ''))
    return [421, "Temporal's web page answers only to localhost, 127.0.0.1 and [::1]"];
  return isSentFromElsewhere(caller)
    ? [403, 'This request was sent by a page of another site, so nothing was done']
    : undefined;
}

function answer(res: ServerResponse, status: number, words: string): void {
  if (res.headersSent) res.destroy();
  else res.writeHead(status, { 'content-type': 'text/plain', 'cache-control': 'no-store' }).end(`${words}\n`);
}

interface Target {
  port: number;
  path: string;
  headers: Record<string, string>;
}

/** The page uses payloads in full; the HTTP API takes and gives them so only on request. */
function callOf(url: string, { port, host }: HttpApi): Target {
  const path = `${url}${url.includes('?') ? '&' : '?'}noPayloadShorthand`;
  return { port, path, headers: { host, 'content-type': 'application/json+no-payload-shorthand' } };
}

function handOn(req: IncomingMessage, res: ServerResponse, { port, path, headers }: Target): void {
  const { method } = req;
  const to = { host: '127.0.0.1', port, method, path, agent: false, headers: { ...req.headers, ...headers } };
  const call = request(to, (came) => {
    res.writeHead(came.statusCode ?? 502, came.headers);
    came.on('error', () => res.destroy());
    came.pipe(res);
  });
  call.on('error', () => answer(res, 502, 'Temporal does not answer'));
  res.on('close', () => call.destroy());
  req.pipe(call);
}

/** The server of the page's files. It holds no onboards, starts when somebody looks, and ends when nobody has for a while. */
class Files {
  private running?: Promise<{ child: ChildProcess; port: number }> | undefined;
  private idle?: NodeJS.Timeout;

  constructor(private readonly cli: string) {}

  async port(): Promise<number> {
    clearTimeout(this.idle);
    this.idle = setTimeout(() => void this.end(), IDLE_MS).unref();
    return (await (this.running ??= this.start())).port;
  }

  async end(): Promise<void> {
    clearTimeout(this.idle);
    const running = await this.running?.catch(() => undefined);
    if (!running) return;
    const ended = once(running.child, 'exit');
    if (running.child.kill()) await ended;
  }

  private async start() {
    const free = () => claimPort(0, "the files of Temporal's web page", 'TEMPORAL_UI_PORT');
    const [own, api, port] = [await free(), await free(), await free()];
    const args = [
      ...devServer(own, { port: api, host: secretHost() }),
      ...['--ui-port', String(port), '--ui-disable-news-fetch', '--log-level', 'error'],
      // It refuses every question about onboards, rather than answer that there are none.
      ...set('frontend.namespaceRPS', 0),
    ];
    // It shares the process group of this process, so that a signal to the group ends both, also after a kill.
    const child = spawn(this.cli, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const over = once(child, 'exit').then(() => {
      this.running = undefined;
      throw new Error('its server has ended: see its log');
    });
    over.catch(() => undefined);
    await Promise.race([untilServed(port), over]);
    return { child, port };
  }
}

async function untilServed(port: number): Promise<void> {
  const isServed = () =>
    fetch(`http://127.0.0.1:${port}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  const since = Date.now();
  while (!(await isServed())) {
    if (Date.now() - since > READY_MS) throw new Error(`its server did not answer in ${READY_MS / 1000} s`);
    await sleep(50);
  }
}

async function main([settings = '']: string[]): Promise<void> {
  const page = await openWebPage(JSON.parse(settings) as WebPageSettings);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void page.close());
}

if (require.main === module)
  main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
