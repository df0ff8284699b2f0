/** Ends with 0 when this container's worker shows that it works. One that does not show it for as long as `npm start` would
 *  wait is killed: Docker starts a container again when its program has ended, never because it is unhealthy. */
import { readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../dist/config.js';
import { loadEnvironment } from '../dist/environment.js';
import { bornAt } from '../dist/processes.js';
import { MISSED_LOOKS, PULSE_FILE, PULSE_MS, touchedAt } from '../dist/pulse.js';
import { reportOf } from '../dist/report.js';

const LOOKS_A_PULSE = 4;

/** Those of this container that live, and when each last showed that it works. */
function workers(dataDir) {
  const found = readdirSync(dataDir).map((name) => ({ file: join(dataDir, name), match: PULSE_FILE.exec(name) }));
  return found
    .filter(({ match }) => match?.[2] === hostname())
    .map(({ file, match }) => ({ file, pid: Number(match[1]), touched: touchedAt(file) }))
    .filter(({ pid, touched }) => touched !== undefined && bornAt(pid) !== undefined);
}

async function check() {
  const { dataDir } = loadConfig(loadEnvironment());
  let silent = workers(dataDir);
  if (silent.length === 0)
    throw new Error(
      `No worker of ${hostname()} has shown in ${dataDir} that it works. One that starts does so within seconds, and one that ` +
        `ended is started again; if it stays so, see its log and start it again by hand (docker compose restart worker)`,
    );
  for (let look = 0; look < MISSED_LOOKS * LOOKS_A_PULSE && silent.length > 0; look += 1) {
    await sleep(PULSE_MS / LOOKS_A_PULSE);
    silent = silent.filter(({ file, touched }) => touchedAt(file) === touched);
  }
  const hung = silent.filter(({ pid }) => bornAt(pid) !== undefined).map(({ pid }) => pid);
  if (hung.length === 0) return;
  for (const pid of hung) process.kill(pid, 'SIGKILL');
  throw new Error(`The worker hung or was stopped, and was killed (pid ${hung.join(', ')})`);
}

await check().catch((error) => {
  console.error(reportOf(error, Error));
  process.exitCode = 1;
});
