import { SAMPLE_INVITATION } from './sample';
import type { Started } from './start-all';

interface Ready extends Pick<Started, 'up' | 'isSampleNew'> {
  /** The path of the Temporal CLI, if it is not on the PATH. */
  cli?: string | undefined;
  dataDir: string;
  taskQueue: string;
  seconds: number;
  /** What to put before a command in another terminal, so that it finds this data folder. */
  prefix: string;
}

/** Where everything is, and what to type next. */
export function readyText({ up, cli, isSampleNew, dataDir, taskQueue, seconds, prefix }: Ready): string {
  const { temporal, emulator, api } = up;
  const where = [
    ...(api
      ? [
          ['Console', `${api.url}/`],
          ['API', `${api.url}/onboards (HTTP Basic, user API, a key as password)`],
          ['Key', api.key_file ? `in ${api.key_file}, for both` : 'the one that you set, for both'],
        ]
      : []),
    ['LeadConduit', emulator ? `${emulator.url} (the emulator: nothing leaves this machine)` : up.upstream],
    ['Temporal', `${temporal.address}, namespace ${temporal.namespace}${temporal.pid ? '' : ' (not started here)'}`],
    ...(temporal.ui ? [['Web page', `${temporal.ui}/namespaces/${temporal.namespace}/workflows`]] : []),
    ...(cli ? [['Temporal CLI', cli]] : []),
    ['Worker', `pid ${up.worker.pid}, task queue ${taskQueue}`],
    ['Data', `${dataDir} (logs in logs/)`],
  ];
  // Only a database that was made here has the sample.
  const next =
    emulator && temporal.pid
      ? ['list', `show ${SAMPLE_INVITATION}`, ...(isSampleNew ? [`advance ${SAMPLE_INVITATION} --to in_progress`] : [])]
      : [`start ${emulator ? SAMPLE_INVITATION : '<invitation id>'}`, 'list'];
  return [
    `Ready after ${seconds.toFixed(1)} s.`,
    '',
    ...where.map(([name, value]) => `  ${(name ?? '').padEnd(13)}${value ?? ''}`),
    '',
    emulator ? 'Next, in another terminal:' : 'Nothing is sent until somebody asks. Next, in another terminal:',
    ...next.map((command) => `  ${prefix}npm run -s onboards -- ${command}`),
    '',
    'Ctrl-C stops everything. The next npm start goes on where this one stopped.',
  ].join('\n');
}
