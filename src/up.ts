import { resolve } from 'node:path';
import { OnboardsError } from './client';
import { loadConfig, settleWarning, takeNoArguments } from './config';
import { loadEnvironment } from './environment';
import { ConfigError } from './config-error';
import { ChildFailed } from './processes';
import { reportOf } from './report';
import { temporalSettings, TemporalUnavailable, tlsWarning } from './temporal/connection';
import { isTyped } from './temporal/find-cli';
import { removeUpFile, writeUpFile } from './temporal/up-file';
import { forShell } from './visible';
import { Children } from './up/children';
import { openDataFolder } from './up/data-folder';
import { LockLost } from './up/lock';
import { Progress } from './up/progress';
import { readyText } from './up/ready-text';
import { startAll } from './up/start-all';
import { upstreamOf } from './upstream';

/** npm passes on the Ctrl-C that the terminal has already sent to us: two signals within this time are one. */
const SAME_SIGNAL_MS = 500;

/** `npm start`: runs until it is told to stop, or until one of its processes ends before it was ever ready. */
async function main(): Promise<void> {
  takeNoArguments('npm start', 'starts all parts on this machine, and runs until Ctrl-C.');
  const since = Date.now();
  const progress = new Progress(process.stdout);
  const env = loadEnvironment();
  const config = loadConfig(env);
  const temporal = temporalSettings(config, env);
  const { timeoutMs } = config.leadconduit;
  const folder = await openDataFolder(resolve(config.dataDir), upstreamOf(config), progress.line);
  // Time for a look and a write, each to its own deadline, and for recording what came of them.
  const children = new Children(folder.childrenFile, 2 * timeoutMs + 30_000);
  const stop = stopAsked(() => children.kill());
  for (const warning of [settleWarning(config), tlsWarning(temporal)])
    if (warning !== undefined) progress.line(warning);
  try {
    removeUpFile(folder.path);
    const starting = startAll({ config, env, temporal, folder, children, progress }).then(
      ({ up, cli, isSampleNew }) => {
        writeUpFile(folder.path, up);
        const elsewhere = loadEnvironment({});
        const hasKey = (elsewhere.LEADCONDUIT_API_KEY ?? elsewhere.LEADCONDUIT_API_KEY_FILE) !== undefined;
        const prefix =
          (hasKey && config.leadconduit.apiKey === undefined ? 'LEADCONDUIT_API_KEY= ' : '') +
          (env.ONBOARDS_DATA_DIR === elsewhere.ONBOARDS_DATA_DIR ? '' : `ONBOARDS_DATA_DIR=${forShell(folder.path)} `);
        const seconds = (Date.now() - since) / 1000;
        const ready = { up, isSampleNew, dataDir: folder.path, taskQueue: config.taskQueue, seconds, prefix };
        progress.line(readyText({ ...ready, cli: cli !== undefined && !isTyped(cli, env) ? cli : undefined }));
        return stop;
      },
    );
    // Another `npm start` has the database now.
    folder.lost.catch(() => children.kill());
    await Promise.race([starting, stop, children.unexpectedEnd, folder.lost]);
    progress.line('Stopping …');
  } finally {
    progress.over();
    await children.end(progress.line);
    folder.release();
  }
}

/** Resolves at the first signal; a later one calls `now`. */
function stopAsked(now: () => void): Promise<void> {
  let first = 0;
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => {
        if (first !== 0 && Date.now() - first > SAME_SIGNAL_MS) now();
        first ||= Date.now();
        resolve();
      });
  });
}

function report(error: unknown): number {
  console.error(reportOf(error, ConfigError, TemporalUnavailable, ChildFailed, OnboardsError, LockLost));
  return error instanceof ConfigError ? 2 : 1;
}

// The terminal may be gone while we are still stopping.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
main().then(
  () => process.exit(0),
  (error: unknown) => process.exit(report(error)),
);
