/** Ends with 0 when this container's worker has asked Temporal for work within the last two minutes: one that hangs, or
 *  has lost Temporal, is still a running process. */
import { hostname } from 'node:os';
import { Connection } from '@temporalio/client';
import { loadConfig, loadEnvironment } from '../dist/config.js';
import { connectTemporal, temporalSettings } from '../dist/temporal/connection.js';

/** A poll that brings no work lasts a minute. */
const RECENT_MS = 120_000;
/** Of Temporal's API: `TaskQueueType`. */
const ACTIVITY = 2;

/** Those who poll for activities, as `<pid>@<host>`. */
async function pollers({ taskQueue }, settings) {
  const connection = await connectTemporal(settings, (options) => Connection.connect(options));
  try {
    const asked = { namespace: settings.namespace, taskQueue: { name: taskQueue }, taskQueueType: ACTIVITY };
    return (await connection.workflowService.describeTaskQueue(asked)).pollers;
  } finally {
    await connection.close();
  }
}

try {
  const env = loadEnvironment();
  const config = loadConfig(env);
  const recent = (await pollers(config, temporalSettings(config, env))).filter(
    ({ lastAccessTime }) => Date.now() - lastAccessTime.seconds.toNumber() * 1_000 < RECENT_MS,
  );
  if (!recent.some(({ identity }) => identity.endsWith(`@${hostname()}`)))
    throw new Error(`No worker of ${hostname()} has asked for work on task queue ${config.taskQueue} in two minutes`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
