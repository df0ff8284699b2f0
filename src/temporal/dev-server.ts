import { randomBytes } from 'node:crypto';
import { basename, dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { msNumberToTs } from '@temporalio/common/lib/time';
import type { Environment } from '../environment';
import { ChildFailed, endProcess, isAlive, startChild, type Child, type ChildSpec } from '../processes';
import { SEARCH_ATTRIBUTES } from '../workflows/search-attributes';
import { connectTemporal } from './connection';
import { claimPort } from './ports';

/** Every server has this namespace. */
const DEFAULT_NAMESPACE = 'default';
const RETENTION_MS = 365 * 24 * 3_600_000;
const READY_MS = 30_000;

/**
 * The first setting takes a single onboard from 148 ms to 36 ms. With the second, an onboard is nearly always in the lists
 * when its create is answered; without it, every other one is missing for up to 0.1 s. The others shorten the tail when 50
 * onboards come at once.
 */
const DYNAMIC_CONFIG = {
  'history.transferProcessorMaxPollRPS': 1000,
  'history.visibilityProcessorMaxPollRPS': 1000,
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
};

export interface TemporalServerOptions {
  /** From `findTemporal`. */
  cli: string;
  env: Environment;
  logFile: string;
  /** 0 takes a free port. */
  port: number;
  /** Without one, everything is in memory only. */
  dbFile?: string;
  namespace?: string;
  extraDynamicConfig?: Record<string, string | number | boolean>;
  start?: (spec: ChildSpec) => Child;
}

/** Temporal's HTTP API cannot be switched off, and by default it obeys every web page. So it answers only to one Host, which
 *  nobody can guess. */
export interface HttpApi {
  port: number;
  host: string;
}

export interface TemporalServer {
  address: string;
  api: HttpApi;
  pid: number;
  stop(): Promise<void>;
}

/** Resolves when the API answers and the namespace keeps finished onboards for a year.
 *  @throws {ConfigError} when a port is in use, {ChildFailed} when it ends early or never answers */
export async function startTemporal(options: TemporalServerOptions): Promise<TemporalServer> {
  const { cli, env, logFile, namespace = DEFAULT_NAMESPACE, start = startChild } = options;
  // This comes first: otherwise a server that already listens there would be taken for ours.
  const port = await claimPort(options.port, 'Temporal', 'TEMPORAL_PORT');
  const api = { port: await claimPort(0, "Temporal's HTTP API", 'TEMPORAL_PORT'), host: secretHost() };
  const address = `127.0.0.1:${port}`;
  const child = start({
    name: 'Temporal',
    command: resolve(cli),
    args: argumentsFor({ ...options, namespace, port, api }),
    env,
    // The server puts the file name into a URL unescaped, where `#`, `?` or `%` in a folder's name would be read as syntax.
    ...(options.dbFile === undefined ? {} : { cwd: dirname(resolve(options.dbFile)) }),
    logFile: resolve(logFile),
  });
  try {
    await untilReady(child, address, namespace);
  } catch (error) {
    await endProcess(child, 0);
    throw error;
  }
  return {
    address,
    api,
    pid: child.pid,
    stop: () => endProcess(child, 10_000),
  };
}

/** 40 digits, because a part of a host name between two dots may have at most 63 characters. */
export const secretHost = () => `${randomBytes(20).toString('hex')}.invalid`;

/** The arguments for the dev server of the Temporal CLI, for this machine only. */
export const devServer = (port: number, api: HttpApi): string[] => [
  ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--http-port', String(api.port)],
  ...set('frontend.httpAllowedHosts', [api.host]),
];
export const set = (key: string, value: unknown): string[] => [
  '--dynamic-config-value',
  `${key}=${JSON.stringify(value)}`,
];

type Arguments = Pick<TemporalServerOptions, 'dbFile' | 'extraDynamicConfig'> & {
  namespace: string;
  port: number;
  api: HttpApi;
};
function argumentsFor({ namespace, port, api, dbFile, extraDynamicConfig }: Arguments): string[] {
  const dynamic = Object.entries({ ...DYNAMIC_CONFIG, ...extraDynamicConfig });
  return [
    ...devServer(port, api),
    // The server's web page answers to every Host, and no setting prevents that: see web-page.ts.
    '--headless',
    ...(namespace === DEFAULT_NAMESPACE ? [] : ['--namespace', namespace]),
    ...dynamic.flatMap(([key, value]) => set(key, value)),
    // These reach a new database only; the worker registers what an older one lacks.
    ...Object.entries(SEARCH_ATTRIBUTES).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
    // With WAL, `full` loses nothing in a power failure. It allows 26 onboards a second instead of 33; LeadConduit allows 10.
    ...(dbFile === undefined ? [] : ['--db-filename', basename(dbFile)]),
    ...(dbFile === undefined ? [] : ['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=full']),
  ];
}

async function untilReady(child: Child, address: string, namespace: string): Promise<void> {
  const since = Date.now();
  const settings = { connectionOptions: { address }, isConfigured: false };
  let isReady = false;
  while (!isReady) {
    try {
      const connection = await connectTemporal(settings, (options) => Connection.connect(options));
      await keepForAYear(connection, namespace).finally(() => connection.close());
      isReady = true;
    } catch (error) {
      if (!isAlive(child)) throw new ChildFailed(child, `ended ${await child.ended} while it was starting`);
      if (Date.now() - since > READY_MS)
        throw new ChildFailed(child, `did not answer in ${READY_MS / 1000} s (${(error as Error).message})`);
      await sleep(50);
    }
  }
}

/** The dev server has no option for the retention, and its default is one day. */
async function keepForAYear({ workflowService }: Connection, namespace: string): Promise<void> {
  const kept = async () => {
    const { config } = await workflowService.describeNamespace({ namespace });
    return (config?.workflowExecutionRetentionTtl?.seconds?.toNumber() ?? 0) * 1_000;
  };
  if ((await kept()) >= RETENTION_MS) return;
  const config = { workflowExecutionRetentionTtl: msNumberToTs(RETENTION_MS) };
  await workflowService.updateNamespace({ namespace, config });
  if ((await kept()) < RETENTION_MS) throw new Error('the server did not accept a retention of one year');
}

/** What is wrong with a server of this version; undefined when nothing is. */
export function warningAbout(serverVersion: string): string | undefined {
  const [major = 0, minor = 0, patch = 0] = serverVersion.split('.').map((part) => parseInt(part, 10));
  if (major !== 1 || minor > 30 || (minor === 30 && patch >= 3) || (minor === 29 && patch >= 5)) return undefined;
  return `Temporal server ${serverVersion} lets one namespace reset the runs of another (CVE-2026-5199): use 1.29.5, 1.30.3 or newer.`;
}
