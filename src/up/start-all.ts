import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import type { Config } from '../config';
import { environmentFor, foreignEnvironment, takenAway, type Environment } from '../environment';
import type { Child, ChildSpec } from '../processes';
import { pulseFile } from '../pulse';
import { keyFileIn, loadKeys } from '../http/keys';
import { urlOf } from '../http/url';
import { connectTemporal, TemporalUnavailable, type TemporalSettings } from '../temporal/connection';
import { findTemporal } from '../temporal/find-cli';
import { claimServer } from '../temporal/identity';
import { isListening } from '../temporal/ports';
import { startTemporal, warningAbout } from '../temporal/dev-server';
import type { WebPageSettings } from '../temporal/web-page';
import { readUpFile, settingsFor, writeUpFile, type UpFile } from '../temporal/up-file';
import { API, waitFor, WORKER, type Children } from './children';
import { claimPorts, type Ports } from './claim-ports';
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
  /** The sample was started just now, so nobody has moved it on. */
  isSampleNew: boolean;
}

/** Temporal, the emulator, the worker, the sample, the API: each is ready before the next is started. */
export async function startAll(all: Everything): Promise<Started> {
  const { config, env, folder, children, progress } = all;
  // A missing or wrong key is reported before anything is started.
  loadKeys({ ...config, dataDir: folder.path });
  await children.endLeftovers(progress.line);
  const ports = await claimPorts(config, all.temporal);

  const { temporal, cli } = await haveTemporal(all, ports);
  const address = all.temporal.isConfigured ? {} : { TEMPORAL_ADDRESS: temporal.address };
  const settings = { ...all.temporal, ...(temporal.pid ? { connectionOptions: { address: temporal.address } } : {}) };
  await lookAt(all, settings);
  await claimServer(settings, config, !settings.isConfigured);
  folder.claim('for good');

  const emulator = ports.emulator === undefined ? undefined : await startEmulator(all, ports.emulator);
  const upstream = emulator ? { EMULATOR_PORT: String(ports.emulator) } : {};

  const childEnv = { ...env, ...upstream, ...address, ONBOARDS_DATA_DIR: folder.path };
  const worker = await startWorker(all, environmentFor('worker', childEnv));
  const isSampleNew = existsSync(folder.sampleDueFile);
  if (isSampleNew) {
    progress.step('Starting the sample onboard');
    await startSample(config, childEnv);
    rmSync(folder.sampleDueFile);
  }
  const api = await startApi(all, environmentFor('api', { ...childEnv, PORT: String(ports.api) }));
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

async function haveTemporal(all: Everything, ports: Ports): Promise<{ temporal: UpFile['temporal']; cli?: string }> {
  const { config, env, folder, progress } = all;
  const { connectionOptions, namespace } = all.temporal;
  if (ports.temporal === undefined) return { temporal: { address: connectionOptions.address, namespace } };
  progress.step('Looking for Temporal');
  const cli = await findTemporal({ env, cliPath: config.temporalCliPath, say: progress.step });
  // This comes before the database, or a crash would leave one that any upstream could take over.
  folder.claim('provisionally');
  const { isNew } = prepareDatabase(folder);
  if (isNew && ports.emulator !== undefined) writeWhole(folder.sampleDueFile, { invitation_id: SAMPLE_INVITATION });
  progress.step('Starting Temporal');
  const server = starting(all, 'temporal');
  const { address, api, pid } = await startTemporal({
    ...{ cli, namespace, port: ports.temporal, dbFile: folder.databaseFile },
    ...{ env: foreignEnvironment(env), logFile: folder.logOf('temporal'), start: server.start },
  });
  folder.claim('for good');
  rmSync(folder.databaseUnreadyFile, { force: true });
  const temporal = server.keep({ address, namespace, pid });
  return { temporal: { ...temporal, ui: await startWebPage(all, { cli, api, port: ports.ui! }) }, cli };
}

async function startWebPage(all: Everything, settings: WebPageSettings): Promise<string> {
  const page = await startProgram(all, 'web-page', {
    name: "Temporal's web page",
    program: join('temporal', 'web-page.js'),
    args: [JSON.stringify(settings)],
    env: foreignEnvironment(all.env),
    isReady: () => isListening(settings.port),
  });
  page.keep({ pid: page.child.pid });
  return `http://127.0.0.1:${settings.port}`;
}

/** Checks that the namespace exists, and warns of a server with a known security hole. */
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

async function startEmulator(all: Everything, port: number) {
  all.progress.step('Starting the emulator of LeadConduit');
  const env = {
    ...environmentFor('emulator', all.env),
    HOST: '127.0.0.1',
    EMULATOR_PORT: String(port),
    ONBOARDS_DATA_DIR: all.folder.path,
  };
  const program = join('emulator', 'serve.js');
  const isReady = () => isListening(port);
  const emulator = await startProgram(all, 'emulator', { name: 'The emulator', program, env, isReady });
  return emulator.keep({ url: `http://127.0.0.1:${port}`, pid: emulator.child.pid });
}

async function startWorker(all: Everything, env: Environment): Promise<UpFile['worker']> {
  all.progress.step('Starting the worker');
  const isReady = (child: Child) => /^Worker ready/m.test(child.output());
  const worker = await startProgram(all, 'worker', { name: WORKER, program: 'worker.js', env, isReady });
  return worker.keep({ pid: worker.child.pid }, (pid) => pulseFile(all.folder.path, pid));
}

async function startApi(all: Everything, env: Environment): Promise<NonNullable<UpFile['api']>> {
  all.progress.step('Starting the API and the console');
  const { config, folder } = all;
  const isReady = (child: Child) => /^API ready/m.test(child.output());
  const api = await startProgram(all, 'api', { name: API, program: join('http', 'server.js'), env, isReady });
  const isMade = config.api.key === undefined && config.api.keysFile === undefined;
  const url = urlOf(config.api.host, Number(env.PORT));
  return api.keep({ pid: api.child.pid, url, ...(isMade && { key_file: keyFileIn(folder.path) }) });
}

interface Program {
  name: string;
  /** Path below `dist`. */
  program: string;
  args?: string[];
  env: Environment;
  isReady: (child: Child) => boolean | Promise<boolean>;
}

async function startProgram(all: Everything, entry: Entry, { name, program, args = [], env, isReady }: Program) {
  const starts = starting(all, entry);
  const child = starts.start({
    ...{ name, command: process.execPath, args: [join(__dirname, '..', program), ...args] },
    ...{ env: { ...takenAway(), ...env }, logFile: all.folder.logOf(entry) },
  });
  await waitFor(child, 'was not ready', READY_MS, () => isReady(child));
  return { child, keep: starts.keep };
}

type Entry = 'temporal' | 'web-page' | 'emulator' | 'worker' | 'api';

/** For a process that runs as long as this one does. Until `keep` is called, its end fails the whole start. */
function starting({ folder, children, progress }: Everything, entry: Entry) {
  let spec: ChildSpec;
  let first: Child;
  const start = (it: ChildSpec): Child => {
    spec = it;
    return (first = children.start(it));
  };
  /** To be called when it is ready: from then on a replacement takes its place when it ends, also in `up.json`. */
  const keep = <Noted extends { pid?: number }>(noted: Noted, pulseOf?: (pid: number) => string): Noted => {
    const onStart = ({ pid }: Child) => {
      noted.pid = pid;
      const up = readUpFile(folder.path);
      if (up?.pid !== process.pid || !(entry in up)) return;
      try {
        writeUpFile(folder.path, { ...up, [entry]: { ...(up[entry as keyof UpFile] as object), pid } });
      } catch (error) {
        progress.line(
          `up.json could not be written, so it still names a process that has ended: ${(error as Error).message}`,
        );
      }
    };
    children.keep({ spec, first, say: progress.line, onStart, pulseOf });
    return noted;
  };
  return { start, keep };
}
