import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastWords, signalGroup, type Child, type ChildSpec } from '../processes';
import { MISSED_LOOKS, PULSE_MS, touchedAt } from '../pulse';
import type { Children } from './children';

/** A process that ran for this long has started well: its end is no longer counted with those before. */
const WELL_MS = 60_000;
const LONGEST_PAUSE_MS = 30_000;
/** Looks, a second apart, that a process which starts may take until its first sign of life. */
const LOOKS_TO_START = 60;

export interface Kept {
  spec: ChildSpec;
  /** The process that runs; it was ready. */
  first: Child;
  say: (text: string) => void;
  /** Called when a replacement runs. */
  onStart: (child: Child) => void;
  /** The file that the process touches each second; a process that stops doing so is killed. */
  pulseOf?: ((pid: number) => string) | undefined;
}

/** Starts a replacement whenever the process ends, however it ended: nothing is lost, and everything else goes on. After each
 *  end that comes soon after a start, the pause is longer. Returns when everything is being stopped. */
export async function keepRunning(children: Children, { spec, first, say, onStart, pulseOf }: Kept): Promise<void> {
  let child: Child | undefined = first;
  let failure = '';
  for (let soon = 0; ;) {
    const since = performance.now();
    const how = child ? await endOf(children, child, pulseOf?.(child.pid)) : failure;
    if (children.areEnding()) return;
    soon = performance.now() - since < WELL_MS ? soon + 1 : 1;
    const pauseMs = soon === 1 ? 0 : Math.min(LONGEST_PAUSE_MS, 500 * 2 ** (soon - 1));
    const again = soon === 1 ? '' : `, ${soon} times in a row soon after its start`;
    const isPlain = soon === 1 && !/exit code [^0]/.test(how);
    say(
      `${spec.name} ${how}${again}: starting it again${pauseMs > 0 ? ` in ${pauseMs / 1000} s` : ''}.` +
        (child && !isPlain ? lastWords(child) : ''),
    );
    if (pauseMs > 0) await sleep(pauseMs);
    if (children.areEnding()) return;
    child = undefined;
    try {
      child = children.start(spec);
    } catch (error) {
      failure = `cannot be started (${(error as Error).message})`;
    }
    if (child) onStart(child);
  }
}

/** Waits until the process ends, and says how. One without a sign of life at too many looks in a row is killed. */
async function endOf(children: Children, child: Child, pulse?: string): Promise<string> {
  if (pulse === undefined) return `ended ${await child.ended}`;
  let seen: string | undefined;
  let missed = 0;
  const hung = new AbortController();
  const timer = setInterval(() => {
    const now = touchedAt(pulse);
    missed = now === undefined || now === seen ? missed + 1 : 0;
    seen = now;
    if (children.areEnding() || missed < (now === undefined ? LOOKS_TO_START : MISSED_LOOKS)) return;
    hung.abort();
    signalGroup(child, 'SIGKILL');
  }, PULSE_MS);
  try {
    const how = await child.ended;
    return hung.signal.aborted ? `(pid ${child.pid}) hung or was stopped, and was killed` : `ended ${how}`;
  } finally {
    clearInterval(timer);
    rmSync(pulse, { force: true });
  }
}
