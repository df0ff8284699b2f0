import { resolve } from 'node:path';
import { Connection } from '@temporalio/client';
import { NativeConnection, Runtime, Worker, DefaultLogger } from '@temporalio/worker';
import { createActivities } from './activities';
import { Doubles } from './activities/doubles';
import { ListTrust } from './activities/list-trust';
import { InFlightWrites } from './activities/in-flight-writes';
import { OnboardsClient } from './client';
import { loadConfig, settleWarning, takeNoArguments, type Config } from './config';
import { environmentFor, loadEnvironment } from './environment';
import { ConfigError } from './config-error';
import { LeadConduitClient, type Look } from './leadconduit/client';
import { ownPulse, PULSE_MS } from './pulse';
import { reportOf } from './report';
import {
  connectTemporal,
  temporalSettings,
  TemporalUnavailable,
  tlsWarning,
  type TemporalSettings,
} from './temporal/connection';
import { claimServer } from './temporal/identity';
import { END_SIGNALS, endAsked, runUntilAsked, WorkerStopped } from './temporal/run-until-asked';
import { registerSearchAttributes } from './temporal/register-search-attributes';
import { readUpFile, withSettingsOf, type UpFile } from './temporal/up-file';
import { workerOptions } from './temporal/worker-options';
import { assertSameUpstream, ownerOf, upstreamOf } from './upstream';

/** How many of the newest onboards a worker learns when it starts, to tell which lists can be believed. */
const KNOWN = 50;
/** A second onboard, whoever made it, is found within this time even if nobody else looks. */
const LOOK_MS = 5 * 60_000;

/** How long Temporal may take to register the search attributes, and again to list the known onboards. */
const REGISTER_MS = 30_000;

async function main(): Promise<void> {
  takeNoArguments('npm run worker', 'works on the onboards of its task queue, and runs until it is told to end.');
  const env = environmentFor('worker', loadEnvironment());
  const own = loadConfig(env);
  const settings = temporalSettings(own, env);
  const up = runningWith(own, settings);
  const config = withSettingsOf(up, own, env);
  Runtime.install({ logger: new DefaultLogger('WARN'), shutdownSignals: [...END_SIGNALS] });
  const [askedAt, pulse] = [endAsked(), ownPulse(resolve(own.dataDir))];
  // It pulses while it starts, too: each step has its own time-out, and a worker that hangs in one must have pulsed before.
  pulse();
  const starting = setInterval(pulse, PULSE_MS);
  for (const warning of [settleWarning(config), tlsWarning(settings)])
    if (warning !== undefined) console.error(warning);

  await claimServer(settings, config, up !== undefined);
  const connection = await connectTemporal(settings, (options) => Connection.connect(options));
  const onboards = OnboardsClient.over(connection, settings.namespace, config);
  const trust = new ListTrust((ids) => onboards.lists.gone(ids));
  let isAnyKnown: boolean;
  try {
    await connection.withDeadline(Date.now() + REGISTER_MS, () =>
      registerSearchAttributes(connection, settings.namespace),
    );
    const known = await connection.withDeadline(Date.now() + REGISTER_MS, () => onboards.lists.known(KNOWN));
    for (const { id, ...facts } of known) trust.add(id, facts);
    isAnyKnown = known.length > 0;
  } catch (error) {
    await connection.close();
    throw error;
  }

  const account = accountOf(config, up);
  const doubles = new Doubles((invitation, ...doubled) => onboards.get(invitation).tellDoubled(...doubled));
  const onLook = (look: Look) => {
    trust.seen(look);
    doubles.seen(look);
  };
  const leadconduit = new LeadConduitClient({ ...config.leadconduit, ...account, onLook });
  // Every later list must show what this first look shows, and later looks wait for it. If it fails, it tells nothing.
  if (isAnyKnown) leadconduit.look(Date.now() + leadconduit.timeoutMs).catch(() => undefined);
  const native = await connectTemporal(settings, (options) => NativeConnection.connect(options));
  const options = workerOptions(config);
  const worker = await Worker.create({
    ...options,
    connection: native,
    namespace: settings.namespace,
    workflowBundle: { codePath: resolve(__dirname, 'workflow-bundle.js') },
    activities: createActivities({
      leadconduit,
      trust,
      writes: new InFlightWrites(),
      completedStatus: config.leadconduit.completedStatus,
    }),
  });
  const stopLooking = doubles.keepLooking(leadconduit, () => onboards.lists.isAnyOpen(), LOOK_MS);
  clearInterval(starting);
  const running = runUntilAsked(worker, { askedAt, pulse, graceMs: options.shutdownGraceTime });
  const { address } = settings.connectionOptions;
  console.log(`Worker ready on task queue ${config.taskQueue}, Temporal ${address}, LeadConduit ${account.baseUrl}`);
  await running;
  stopLooking();
  leadconduit.close();
  await Promise.all([native.close(), connection.close()]);
}

/**
 * The `npm start` whose Temporal server this is. A worker takes whatever waits there, so both must be for the same upstream.
 * @throws {ConfigError}
 */
function runningWith(config: Config, { isConfigured, connectionOptions }: TemporalSettings): UpFile | undefined {
  const { dataDir, leadconduit } = config;
  const found = readUpFile(dataDir);
  const up = !isConfigured || found?.temporal.address === connectionOptions.address ? found : undefined;
  const check = (owner?: string) => assertSameUpstream(resolve(dataDir), owner, upstreamOf(config), 'worker');
  check(up?.upstream);
  if (isConfigured) return up;
  check(ownerOf(dataDir));
  if (up === undefined && leadconduit.apiKey !== undefined)
    throw new ConfigError(
      `No npm start runs on the data folder ${resolve(dataDir)}, and a Temporal server that is found otherwise may hold the ` +
        `onboards of another upstream. Set TEMPORAL_ADDRESS to the server of ${upstreamOf(config)}, or run npm start.`,
    );
  return up;
}

/** Without a key of LeadConduit's, the emulator on this machine stands in. */
const accountOf = ({ leadconduit: { apiKey, baseUrl }, ports }: Config, up?: UpFile) =>
  apiKey === undefined
    ? { apiKey: 'key-of-the-emulator', baseUrl: up?.emulator?.url ?? `http://127.0.0.1:${ports.emulator}` }
    : { apiKey, baseUrl };

main().catch((error: unknown) => {
  console.error(reportOf(error, ConfigError, TemporalUnavailable, WorkerStopped));
  // Exit explicitly: what the SDK still holds could keep the process alive for ever.
  process.exit(error instanceof ConfigError ? 2 : 1);
});
