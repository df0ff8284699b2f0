/** Runs the proof part by part; the later parts judge what the earlier ones left. Ends with `N passed, N failed`. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { close, jest, run } from './jest.mjs';

const folder = mkdtempSync(join(tmpdir(), 'onboards-proof-'));
const env = { ...process.env, PROOF_HISTORIES: folder };
const config = ['--config', 'proof/jest.config.cjs'];

/** Each check of the crash run counts as a test. A run without a report, or one that fails in spite of it, is one failure. */
async function chaos(...size) {
  const report = join(folder, 'chaos-report');
  const args = ['scripts/typescript.mjs', 'proof/chaos/main.ts', ...size, '--report', report];
  const { isPassed } = await run(args, 'inherit', env);
  let checks = [];
  try {
    ({ checks } = JSON.parse(readFileSync(report, 'utf8')));
  } catch {
    // The run itself has said why.
  }
  const titles = checks.filter((check) => !check.passed).map(({ name }) => `crash run: ${name}`);
  const passed = checks.length - titles.length;
  if (titles.length === 0 && !(isPassed && passed > 0)) titles.push('crash run: it did not end well');
  return { name: 'crash run', passed, failed: titles.length, titles };
}

const since = Date.now();
const results = [];
results.push(
  await jest('what can go wrong', [...config, 'proof/(?!replay|mutants)', 'test/(onboard|text/hostile)'], env),
);
results.push(await chaos('--onboards', '300', '--seed', '1', '--minutes', '5'));
results.push(await jest('replay', [...config, 'proof/replay'], env));
results.push(await jest('mutants', [...config, '--maxConcurrency', '3', 'proof/mutants']));
if (results.some(({ failed }) => failed > 0)) console.log(`\nThe histories and the crash run's report: ${folder}`);
else rmSync(folder, { recursive: true, force: true });
console.log(`\nThe proof took ${((Date.now() - since) / 60_000).toFixed(1)} minutes.`);
close(results);
