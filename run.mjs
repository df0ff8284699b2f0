/** `node run.mjs <program> [args…]` runs `dist/<program>.js` in this process, installed and built as needed. */
import { existsSync } from 'node:fs';
import Module from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

const [major, minor] = process.versions.node.split('.').map(Number);
const isFit = major >= 24 || (major === 22 && minor >= 13) || (major === 20 && minor >= 19);
if (!isFit) fail(`This project needs Node 20.19, 22.13, or 24 and newer, and this is ${process.version}.`);

const root = fileURLToPath(new URL('.', import.meta.url));
if (root.includes('*')) fail(`Node cannot load packages below a folder with * in its name: move or rename ${root}`);

const { makeReady } = await import('./scripts/make-ready.mjs');
await makeReady().catch((error) => fail(error.message));

const at = (path) => join(root, path);
const SCRIPTS = {
  check: ['scripts/check.mjs'],
  test: ['scripts/test.mjs'],
  proof: ['scripts/proof.mjs'],
  chaos: ['scripts/typescript.mjs', 'proof/chaos/main.ts'],
};
const [program, ...args] = process.argv.slice(2);
// `makeReady` has built it.
if (program === 'build') process.exit();
const script = Object.hasOwn(SCRIPTS, String(program)) ? SCRIPTS[program] : undefined;
const files = (script ?? [`dist/${program}.js`]).map(at);
if (!existsSync(files[0]))
  fail(
    'Usage: node run.mjs up | starter | worker | http/server | emulator/serve | build | check | test | proof | chaos [args…]',
  );
process.argv = [process.argv[0], ...files, ...args];
if (script) await import(`./${script[0]}`);
// It runs as the main module: tests import some of the programs, and those must not run then.
else Module.runMain(files[0]);
