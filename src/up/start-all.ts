import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { ConfigError, type Config, type Environment } from '../config';
import type { Child } from '../processes';
import { keyFileIn, loadKeys } from '../http/keys';
import { urlOf } from '../http/url';
import { connectTemporal, TemporalUnavailable, type TemporalSettings } from '../temporal/connection';
import { findTemporal } from '../temporal/find-cli';
import { claimServer } from '../temporal/identity';
import { claimPort, isListening } from '../temporal/ports';
import { startTemporal, warningAbout } from '../temporal/server';
import type { WebPageSettings } from '../temporal/web-page';
import { readUpFile, settingsFor, writeUpFile, type UpFile } from '../temporal/up-file';
import { API, waitFor, WORKER, type Children } from './children';
import { prepareDatabase, writeWhole, type DataFolder } from './data-folder';
import type { Progress } from './progress';
import { upstreamOf } from '../upstream';
import { SAMPLE_INVITATION, startSample } from './sample';

export interface Everything {
  config: Config;
  env: Environment;
  temporal: TemporalSettings;
  folder: DataFolder;
  children: Children;
  progress: Progress;
}

const READY_MS = 60_000;

export interface Started {
  up: UpFile;
  /** The Temporal CLI that was started. */
  cli?: string;
  /** The sample was started just now, so that nobody has moved it on. */
  isSampleNew: boolean;
}

/** Temporal, the emulator, the worker, the sample, the API: each is ready before the next is started. */
export async function startAll(all: Everything): Promise<Started> {
  const { config, env, folder, children, progress } = all;
  // A key that is missing or wrong is said before anything is started.
  loadKeys({ ...config, dataDir: folder.path });
  await children.endLeftovers(progress.line);
  const ports = await claimPorts(all);

  const { temporal, cli } = await haveTemporal(all, ports);
  const address = all.temporal.isConfigured ? {} : { TEMPORAL_ADDRESS: temporal.address };
  const settings = { ...all.temporal, ...(temporal.pid ? { connectionOptions: { address: temporal.address } } : {}) };
  await lookAt(all, settings);
  await claimServer(settings, config);
  folder.claim('for good');

  const emulator = ports.emulator === undefined ? undefined : await startEmulator(all, ports.emulator);
  const upstream = emulator ? { EMULATOR_PORT: String(ports.emulator) } : {};

  const childEnv = { ...env, ...upstream, ...address, ONBOARDS_DATA_DIR: folder.path };
  const worker = await startWorker(all, childEnv);
  const isSampleNew = existsSync(folder.sampleDueFile);
  if (isSampleNew) {
    progress.step('Starting the sample onboard');
    await startSample(config, childEnv);
    rmSync(folder.sampleDueFile);
  }
  const api = await startApi(all, { ...childEnv, PORT: String(ports.api) });
  const up = {
    pid: process.pid,
    started_at: new Date().toISOString(),
    upstream: upstreamOf(config),
    temporal,
    worker,
    ...(emulator ? { emulator } : {}),
    api,
    settings: settingsFor(config),
  };
  return { up, cli, isSampleNew };
}

/** For those who have no use for our secrets. */
const withoutKeys = (env: Environment): Environment => ({
  ...env,
  LEADCONDUIT_API_KEY: undefined,
  LEADCONDUIT_API_KEY_FILE: undefined,
  ONBOARDS_API_KEY: undefined,
});

interface Ports {
  api: number;
  temporal?: number;
  ui?: number;
  emulator?: number;
}

const PORTS: Record<keyof Ports, [setting: string, who: string]> = {
  api: ['PORT', 'the API and the console'],
  temporal: ['TEMPORAL_PORT', 'Temporal'],
  ui: ['TEMPORAL_UI_PORT', "Temporal's web page"],
  emulator: ['EMULATOR_PORT', 'the emulator of LeadConduit'],
};

/** All of them first: nothing is started that would have to be ended again. @throws {ConfigError} also for one port twice */
async function claimPorts({ config: { ports, leadconduit }, temporal }: Everything): Promise<Ports> {
  const own: Ports = {
    api: ports.api,
    ...(temporal.isConfigured ? {} : { temporal: ports.temporal, ui: ports.temporalUi }),
    ...(leadconduit.apiKey === undefined ? { emulator: ports.emulator } : {}),
  };
  const wanted = Object.entries(own) as [keyof Ports, number][];
  const settingOf = new Map<number, string>();
  for (const [name, port] of wanted) {
    const [setting] = PORTS[name];
    const other = settingOf.get(port);
    if (other !== undefined && port !== 0)
      throw new ConfigError(
        `${other} and ${setting} are both ${port}: set one of them to another port, or to 0 for any free one`,
      );
    settingOf.set(port, setting);
  }
  for (const [name, port] of wanted) {
    const [setting, who] = PORTS[name];
    own[name] = await claimPort(port, who, setting);
  }
  return own;
}

async function haveTemporal(all: Everything, ports: Ports): Promise<{ temporal: UpFile['temporal']; cli?: string }> {
  const { config, env, folder, children, progress } = all;
  const { connectionOptions, namespace } = all.temporal;
  if (ports.temporal === undefined) return { temporal: { address: connectionOptions.address, namespace } };
  progress.step('Looking for Temporal');
  const cli = await findTemporal({ env, cliPath: config.temporalCliPath, say: progress.step });
  // Before there is a database, or a crash would leave one that anybody could take over.
  folder.claim('provisionally');
  const { isNew } = prepareDatabase(folder);
  if (isNew && ports.emulator !== undefined) writeWhole(folder.sampleDueFile, { invitation_id: SAMPLE_INVITATION });
  progress.step('Starting Temporal');
  const { address, api, pid } = await startTemporal({
    ...{ cli, namespace, port: ports.temporal, dbFile: folder.databaseFile },
    ...{ env: withoutKeys(env), logFile: folder.logOf('temporal'), start: children.start },
  });
  folder.claim('for good');
  rmSync(folder.databaseUnreadyFile, { force: true });
  return { temporal: { address, namespace, ui: await startWebPage(all, { cli, api, port: ports.ui! }), pid }, cli };
}

async function startWebPage({ env, folder, children }: Everything, settings: WebPageSettings): Promise<string> {
  const child = children.start({
    name: "Temporal's web page",
    command: process.execPath,
    args: [join(__dirname, '..', 'temporal', 'web-page.js'), JSON.stringify(settings)],
    env: withoutKeys(env),
    logFile: folder.logOf('web-page'),
  });
  await waitFor(child, 'did not listen', READY_MS, () => isListening(settings.port));
  return `http://127.0.0.1:${settings.port}`;
}

/** The namespace is there, and a server with a known hole is named. */
async function lookAt({ progress }: Everything, settings: TemporalSettings): Promise<void> {
  const { namespace, connectionOptions } = settings;
  const connection = await connectTemporal(settings, (options) => Connection.connect(options));
  try {
    const { serverVersion } = await connection.workflowService.getSystemInfo({});
    const warning = warningAbout(serverVersion);
    if (warning !== undefined) progress.line(`Warning: ${warning}`);
    await connection.workflowService.describeNamespace({ namespace });
  } catch (error) {
    const NOT_FOUND = 5;
    if ((error as { code?: number }).code !== NOT_FOUND) return; // A key may be refused this and still be good for our calls.
    throw new TemporalUnavailable(
      `Temporal at ${connectionOptions.address} has no namespace ${namespace}: set TEMPORAL_NAMESPACE, or make it with ` +
        `\`temporal operator namespace create --namespace ${namespace} --retention 365d\``,
    );
  } finally {
    await connection.close();
  }
}

async function startEmulator({ env, folder, children, progress }: Everything, port: number) {
  progress.step('Starting the emulator of LeadConduit');
  const child = children.start({
    name: 'The emulator',
    command: process.execPath,
    args: [join(__dirname, '..', 'emulator', 'serve.js')],
    env: { ...withoutKeys(env), HOST: '127.0.0.1', EMULATOR_PORT: String(port), ONBOARDS_DATA_DIR: folder.path },
    logFile: folder.logOf('emulator'),
  });
  await waitFor(child, 'did not listen', READY_MS, () => isListening(port));
  return { url: `http://127.0.0.1:${port}`, pid: child.pid };
}

async function startWorker(all: Everything, env: Environment): Promise<{ pid: number }> {
  all.progress.step('Starting the worker');
  return startLasting(all, 'worker', { name: WORKER, program: 'worker.js', env, ready: /^Worker ready/m });
}

async function startApi(all: Everything, env: Environment): Promise<NonNullable<UpFile['api']>> {
  all.progress.step('Starting the API and the console');
  const { config, folder } = all;
  const program = join('http', 'server.js');
  const api = await startLasting(all, 'api', { name: API, program, env, ready: /^API ready/m });
  const isMade = config.api.key === undefined && config.api.keysFile === undefined;
  return { ...api, url: urlOf(config.api.host, Number(env.PORT)), ...(isMade && { key_file: keyFileIn(folder.path) }) };
}

interface Lasting {
  name: string;
  /** Of `dist`. */
  program: string;
  env: Environment;
  ready: RegExp;
}

/** One that somebody ends, by kill or in peace, is started again: nothing is lost by it, and everything else can go on. */
async function startLasting(
  { folder, children, progress }: Everything,
  entry: 'worker' | 'api',
  { name, program, env, ready }: Lasting,
): Promise<{ pid: number }> {
  const spec = {
    name,
    command: process.execPath,
    args: [join(__dirname, '..', program)],
    env,
    logFile: folder.logOf(entry),
  };
  const launch = (): Child =>
    children.start(spec, (how) => {
      progress.line(`${name} ended ${how}: starting it again.`);
      running.pid = launch().pid;
      const up = readUpFile(folder.path);
      if (up) writeUpFile(folder.path, { ...up, [entry]: { ...up[entry], ...running } });
    });
  const child = launch();
  const running = { pid: child.pid };
  await waitFor(child, 'was not ready', READY_MS, () => ready.test(child.output()));
  return running;
}
