import { resolve } from 'node:path';
import { Connection } from '@temporalio/client';
import { NativeConnection, Runtime, Worker, DefaultLogger } from '@temporalio/worker';
import { createActivities } from './activities';
import { Presence } from './activities/presence';
import { Writes } from './activities/writes';
import { OnboardsClient } from './client';
import { ConfigError, loadConfig, loadEnvironment, settleWarning, type Config } from './config';
import { LeadConduitClient } from './leadconduit/client';
import { connectTemporal, temporalSettings, TemporalUnavailable, type TemporalSettings } from './temporal/connection';
import { registerSearchAttributes } from './temporal/search-attributes';
import { readUpFile, withSettingsOf, type UpFile } from './temporal/up-file';
import { workerOptions } from './temporal/worker-options';
import { assertSameUpstream, ownerOf, upstreamOf } from './upstream';

const PRESENCE_IDS = 200;

async function main(): Promise<void> {
  const env = loadEnvironment();
  const own = loadConfig(env);
  const settings = temporalSettings(own, env);
  const up = runningWith(own, settings);
  const config = withSettingsOf(up, own, env);
  Runtime.install({ logger: new DefaultLogger('WARN'), shutdownSignals: ['SIGTERM', 'SIGINT', 'SIGHUP'] });
  const warning = settleWarning(config);
  if (warning !== undefined) console.error(warning);

  const connection = await connectTemporal(settings, (options) => Connection.connect(options));
  const presence = new Presence();
  try {
    await registerSearchAttributes(connection, settings.namespace);
    const onboards = OnboardsClient.over(connection, settings.namespace, config);
    for (const id of await onboards.createdIds(PRESENCE_IDS)) presence.add(id);
  } finally {
    await connection.close();
  }

  const account = accountOf(config, up);
  const leadconduit = new LeadConduitClient({ ...config.leadconduit, ...account });
  const native = await connectTemporal(settings, (options) => NativeConnection.connect(options));
  const worker = await Worker.create({
    ...workerOptions(config),
    connection: native,
    namespace: settings.namespace,
    workflowBundle: { codePath: resolve(__dirname, 'workflow-bundle.js') },
    activities: createActivities({
      leadconduit,
      presence,
      writes: new Writes(),
      completedStatus: config.leadconduit.completedStatus,
    }),
  });
  const running = worker.run();
  const { address } = settings.connectionOptions;
  console.log(`Worker ready on task queue ${config.taskQueue}, Temporal ${address}, LeadConduit ${account.baseUrl}`);
  try {
    await running;
  } finally {
    leadconduit.close();
    await native.close();
  }
}

/**
 * The `npm start` whose Temporal this is. A worker polls whatever queue it finds there: it must be for the same upstream.
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
  const isExpected = error instanceof ConfigError || error instanceof TemporalUnavailable;
  console.error(isExpected ? error.message : error);
  process.exitCode = error instanceof ConfigError ? 2 : 1;
});
