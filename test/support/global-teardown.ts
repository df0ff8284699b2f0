import { rmSync } from 'node:fs';
import { bornAt, signalGroup } from '../../src/processes';

export default function globalTeardown(): void {
  const { TEST_TEMPORAL_PID, TEST_FOLDER } = process.env;
  const pid = Number(TEST_TEMPORAL_PID);
  // Nothing of it is kept, so it need not shut down in good order.
  signalGroup({ pid, born: bornAt(pid) ?? 'ended' }, 'SIGKILL');
  if (TEST_FOLDER !== undefined) rmSync(TEST_FOLDER, { recursive: true, force: true });
}
