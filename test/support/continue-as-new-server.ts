import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadEnvironment } from '../../src/environment';
import { startTemporal, type TemporalServer } from '../../src/temporal/dev-server';

/** For the tests of a file or a `describe`: a server of their own that suggests continue-as-new after this many events. */
export function continueAsNewServer(afterEvents: number): { address: () => string } {
  const folder = mkdtempSync(join(tmpdir(), 'onboards-continue-as-new-'));
  let server: TemporalServer;
  beforeAll(async () => {
    server = await startTemporal({
      cli: process.env.TEST_TEMPORAL_CLI ?? '',
      env: loadEnvironment(),
      port: 0,
      logFile: join(folder, 'temporal.log'),
      extraDynamicConfig: { 'limit.historyCount.suggestContinueAsNew': afterEvents },
    });
  }, 60_000);
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return { address: () => server.address };
}
