import { resolve } from 'node:path';
import { Connection } from '@temporalio/client';
import { NativeConnection, Runtime, Worker, DefaultLogger } from '@temporalio/worker';
import { createActivities } from './activities';
import { Presence } from './activities/presence';
import { Writes } from './activities/writes';
import { OnboardsClient } from './client';
import { ConfigError, loadConfig, loadEnvironment, type Config } from './config';
import { LeadConduitClient } from './leadconduit/client';
import { connectTemporal, temporalSettings, TemporalUnavailable } from './temporal/connection';
import { registerSearchAttributes } from './temporal/search-attributes';
import { workerOptions } from './temporal/worker-options';

const PRESENCE_IDS = 200;

async function main(): Promise<void> {
  const env = loadEnvironment();
  const config = loadConfig(env);
  const settings = temporalSettings(config, env);
  Runtime.install({ logger: new DefaultLogger('WARN'), shutdownSignals: ['SIGTERM', 'SIGINT', 'SIGHUP'] });
  if (config.settleMs < config.leadconduit.timeoutMs)
    console.error(
      'Warning: ONBOARDS_SETTLE is below LEADCONDUIT_TIMEOUT: a call that LeadConduit is still busy with may be taken for lost and repeated.',
    );

  const connection = await connectTemporal(settings, (options) => Connection.connect(options));
  const presence = new Presence();
  try {
    await registerSearchAttributes(connection, settings.namespace);
    const onboards = OnboardsClient.over(connection, settings.namespace, config);
    for (const id of await onboards.createdIds(PRESENCE_IDS)) presence.add(id);
  } finally {
    await connection.close();
  }

  const leadconduit = leadConduitOf(config);
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
  console.log(`Worker ready on task queue ${config.taskQueue}, Temporal ${settings.connectionOptions.address}`);
  try {
    await running;
  } finally {
    leadconduit.close();
    await native.close();
  }
}

/** Without a key of LeadConduit's, the emulator on this machine stands in. */
function leadConduitOf({ leadconduit, ports }: Config): LeadConduitClient {
  const { apiKey, baseUrl, timeoutMs, maxConcurrency, maxListBytes } = leadconduit;
  const upstream =
    apiKey === undefined ? { apiKey: 'emulator', baseUrl: `http://127.0.0.1:${ports.emulator}` } : { apiKey, baseUrl };
  return new LeadConduitClient({ ...upstream, timeoutMs, maxConcurrency, maxListBytes });
}

main().catch((error: unknown) => {
  const isExpected = error instanceof ConfigError || error instanceof TemporalUnavailable;
  console.error(isExpected ? error.message : error);
  process.exitCode = error instanceof ConfigError ? 2 : 1;
});
