import { once, setMaxListeners } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAdaptorServer } from '@hono/node-server';
import { OnboardsClient } from '../client';
import { loadConfig, takeNoArguments, type Config } from '../config';
import { environmentFor, loadEnvironment } from '../environment';
import { ConfigError } from '../config-error';
import { reportOf } from '../report';
import { temporalSettings, TemporalUnavailable, tlsWarning } from '../temporal/connection';
import { claimPort } from '../temporal/ports';
import { readUpFile } from '../temporal/up-file';
import { named } from '../upstream';
import { createApp, type AppDeps } from './app';
import { EmulatorControl } from './console/emulator-control';
import type { Neighbours } from './console/routes';
import { loadKeys } from './keys';
import { urlOf } from './url';

/** What Node rejects before there is a request, by the code of its error. */
const UNREADABLE: Record<string, [status: string, words: string]> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'The headers are larger than 16 KB'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request was not complete within 30 s'],
};
const NO_HTTP: [string, string] = ['400 Bad Request', 'This is not HTTP/1.1'];

/** In ms. Requests that are still under way after this are cut off; their callers have to repeat them. */
const DRAIN_MS = 12_000;

export interface ApiServer {
  url: string;
  /** Accepts nothing new, answers the requests that are under way, then ends. */
  close(): Promise<void>;
}

/** @param port 0 picks a free one. */
export async function startServer(
  deps: Omit<AppDeps, 'draining' | 'host'>,
  { host, port }: { host: string; port: number },
): Promise<ApiServer> {
  const draining = new AbortController();
  // Every request that waits adds a listener.
  setMaxListeners(0, draining.signal);
  const app = createApp({ ...deps, host, draining: draining.signal });
  const server = createAdaptorServer({
    fetch: app.fetch,
    serverOptions: { requestTimeout: 30_000 },
  }) as Server;
  server.on('clientError', refuseUnreadable);
  server.listen(port, host);
  await once(server, 'listening');
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: urlOf(host, taken),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      draining.abort();
      // A keep-alive connection becomes idle only after its answer has ended.
      const sweep = setInterval(() => server.closeIdleConnections(), 100);
      await Promise.race([closed, sleep(DRAIN_MS, undefined, { ref: false })]);
      clearInterval(sweep);
      server.closeAllConnections();
      await closed;
    },
  };
}

function refuseUnreadable({ code = '' }: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable) return;
  const [status, words] = UNREADABLE[code] ?? NO_HTTP;
  const body = JSON.stringify({ error: words });
  const headers = [
    'Content-Type: application/json',
    'Cache-Control: no-store',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ];
  socket.end([`HTTP/1.1 ${status}`, ...headers, '', body].join('\r\n'));
}

/** The neighbours that `npm start` has noted, if it started the Temporal that we use. */
function neighboursIn({ dataDir, api }: Config, address: string): Neighbours {
  const up = readUpFile(dataDir);
  const { temporal, emulator } = up?.temporal.address === address ? up : {};
  return {
    webPage: api.temporalUi ?? temporal?.ui,
    emulator: emulator && new EmulatorControl(emulator.url),
  };
}

async function main(): Promise<void> {
  takeNoArguments('npm run api', 'serves the API and the console, and runs until it is told to end.');
  const env = environmentFor('api', loadEnvironment());
  const config = loadConfig(env);
  const { host } = config.api;
  const keys = loadKeys(config);
  const port = await claimPort(config.ports.api, 'the API and the console', 'PORT', host);
  const onboards = await OnboardsClient.connect(config, env);
  const upstream = named(await onboards.upstream());
  const { completedStatus } = config.leadconduit;
  const settings = temporalSettings(config, env);
  const { address } = settings.connectionOptions;
  const warning = tlsWarning(settings);
  if (warning !== undefined) console.error(warning);
  const server = await startServer(
    {
      onboards,
      keys,
      completedStatus,
      publicUrl: config.api.publicUrl,
      sessionsFolder: join(config.dataDir, 'sessions'),
      neighbours: () => neighboursIn(config, address),
    },
    { host, port },
  );
  console.log(`API ready on ${server.url}, LeadConduit: ${upstream}`);
  let isEnding = false;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (isEnding) return;
      isEnding = true;
      void server.close().then(() => onboards.close());
    });
}

if (require.main === module)
  main().catch((error: unknown) => {
    console.error(reportOf(error, ConfigError, TemporalUnavailable));
    process.exitCode = error instanceof ConfigError ? 2 : 1;
  });
