/** A worker that dies (SIGKILL) at a named point of the create or of the completing call: one effect, whoever goes on. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { kill9 } from '../test/support/worker-process';
import { World } from '../test/support/world';
import { CRASH_POINTS, type CrashPoint } from './support/crash-points';
import { Onboard } from './support/operators';

const inRoot = (path: string) => join(__dirname, '..', path);
/** From here on the bytes are the system's, which sends them although the process has gone. */
const isSent = (point: CrashPoint) => CRASH_POINTS.indexOf(point) >= CRASH_POINTS.indexOf('bytes sent');
/** How the attempts ended, as the run has it that goes on: of one that it never wrote down it knows nothing. */
const outcomesAfter = (point: CrashPoint) =>
  point === 'before the intent' ? ['done'] : isSent(point) ? ['adopted'] : ['unknown', 'done'];

/** Longer than any worker takes to come to its point: one that did not is ended, and not by the signal that is expected. */
const DIES_MS = 120_000;
const TEST_MS = DIES_MS + 60_000;

/** Starts the worker that will die on the queue of a world. */
function mortal({ config, emulator }: World, point: CrashPoint): ChildProcess {
  const { PATH, TEST_FOLDER, TEST_TEMPORAL_ADDRESS, TEST_WORKFLOW_BUNDLE } = process.env;
  return spawn(process.execPath, ['scripts/typescript.mjs', 'proof/support/crash-worker.ts'].map(inRoot), {
    // Where there is no `.env`.
    cwd: TEST_FOLDER,
    env: {
      ...{ PATH, TEST_TEMPORAL_ADDRESS, TEST_WORKFLOW_BUNDLE },
      CRASH_AT: point,
      LEADCONDUIT_API_KEY: config.leadconduit.apiKey,
      LEADCONDUIT_BASE_URL: emulator.url,
      LEADCONDUIT_TIMEOUT: `${config.leadconduit.timeoutMs}ms`,
      ONBOARDS_TASK_QUEUE: config.taskQueue,
    },
    stdio: 'inherit',
    timeout: DIES_MS,
    killSignal: 'SIGHUP',
  });
}

/** An onboard whose next call is made by the worker that dies; a worker of the product's goes on. */
async function crash(call: 'create' | 'completed', point: CrashPoint, check: (onboard: Onboard) => Promise<void>) {
  const world = await World.start({ policy: { attempt_ms: 4_000 } });
  let child: ChildProcess | undefined;
  try {
    const onboard = new Onboard(world);
    if (call === 'completed') {
      await onboard.start();
      await onboard.created();
      await onboard.toInProgress();
    }
    await world.stopWorker();
    child = mortal(world, point);
    const died = once(child, 'exit');
    if (call === 'create') await onboard.start();
    else await onboard.signal('advance', { to: 'completed' });
    expect(await died).toEqual([null, 'SIGKILL']);
    await world.startWorker();
    await check(onboard);
  } finally {
    if (child) await kill9(child);
    await world.close();
  }
}

test.concurrent.each(CRASH_POINTS)(
  'the create, %s',
  (point) =>
    crash('create', point, async (onboard) => {
      const { ledger } = await onboard.created();
      expect(ledger.map(({ outcome }) => outcome)).toEqual(outcomesAfter(point));
      expect(await onboard.effects()).toMatchObject({ posts: 1, creates: 1 });
    }),
  TEST_MS,
);

test.concurrent.each(CRASH_POINTS)(
  'the completing call, %s',
  (point) =>
    crash('completed', point, async (onboard) => {
      if (outcomesAfter(point)[0] === 'unknown') {
        await onboard.until('asked', ({ attention }) => attention?.code === 'unknown_outcome');
        expect(await onboard.effects()).toMatchObject({ puts: 1, completes: 0 });
        await onboard.send({ name: 'resolve', action: 'retry' });
      }
      const { ledger } = await onboard.until('done', ({ phase }) => phase === 'done');
      const outcomes = ledger.filter(({ effect }) => effect === 'completed').map(({ outcome }) => outcome);
      expect(outcomes).toEqual(outcomesAfter(point));
      expect(await onboard.effects()).toMatchObject({ puts: 2, completes: 1, emails: 1 });
    }),
  TEST_MS,
);
