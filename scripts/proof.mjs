/** The proof, part by part; the later parts judge what the earlier ones left. Ends with `N passed, N failed`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { close, jest } from './jest.mjs';

const folder = mkdtempSync(join(tmpdir(), 'onboards-proof-'));
const env = { ...process.env, PROOF_HISTORIES: folder };
const config = ['--config', 'proof/jest.config.cjs'];

const results = [];
results.push(await jest('what can go wrong', [...config, 'proof/(?!replay|mutants)', 'test/(wire|decisions)'], env));
results.push(await jest('replay', [...config, 'proof/replay'], env));
results.push(await jest('mutants', [...config, '--maxConcurrency', '3', 'proof/mutants']));
rmSync(folder, { recursive: true, force: true });
close(results);
