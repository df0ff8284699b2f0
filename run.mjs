/** `node run.mjs <program> [args…]`: installs and builds what has changed, then runs `dist/<program>.js` in this process.
 *  Only Node's own modules: on a fresh clone there are no others. Standard output belongs to the program alone. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import Module from 'node:module';
import { join } from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));
const at = (...path) => join(root, ...path);
const INSTALLED = at('node_modules', '.durable-onboards');
const BUILT = at('dist', '.built');
const STALE_MS = 10_000;

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function read(path) {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function filesUnder(folder) {
  const entries = fs.readdirSync(at(folder), { withFileTypes: true });
  return entries.flatMap((e) => (e.isDirectory() ? filesUnder(join(folder, e.name)) : [join(folder, e.name)]));
}

function hashOf(paths) {
  const hash = createHash('sha256');
  for (const path of [...paths].sort()) hash.update(`${path}\0${read(at(path)) ?? ''}\0`);
  return hash.digest('hex');
}

const lockFile = () => hashOf(['package-lock.json']);
const sources = () =>
  hashOf([...filesUnder('src'), 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json', 'scripts/build.mjs']);

/** True after an `npm ci` by hand too: npm notes what it installed. */
function isInstalled() {
  const stamp = read(INSTALLED);
  if (stamp !== undefined) return stamp === lockFile();
  const noted = read(at('node_modules', '.package-lock.json'));
  if (noted === undefined) return false;
  const installed = JSON.parse(noted).packages;
  const wanted = Object.entries(JSON.parse(read(at('package-lock.json'))).packages);
  const all = wanted.every(([path, p]) => path === '' || p.optional || installed[path]?.version === p.version);
  if (all) fs.writeFileSync(INSTALLED, lockFile());
  return all;
}

const isBuilt = () => read(BUILT) === sources();

/** Tells on standard error what is done: on a terminal one line with the seconds, elsewhere a plain line. */
async function told(what, work) {
  const { isTTY } = process.stderr;
  const since = Date.now();
  const line = () => `${what} … ${Math.round((Date.now() - since) / 1000)} s`;
  process.stderr.write(isTTY ? line() : `${what} …\n`);
  const timer = setInterval(() => isTTY && process.stderr.write(`\r\x1b[K${line()}`), 1000);
  try {
    await work();
  } finally {
    clearInterval(timer);
    if (isTTY) process.stderr.write('\r\x1b[K');
  }
}

/** @throws with the last lines of the tool's output */
async function tool(command, args, hint) {
  let output = '';
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const end = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? '' : `ended with ${signal ?? `code ${code}`}`));
  });
  if (end) throw new Error(`${hint} (${end})\n${output.trim().split('\n').slice(-20).join('\n')}`);
}

/** As `npm ci` does, except that it takes a lock file without other systems' optional packages: not every registry has
 *  them, so a lock file made there does not either. */
async function install() {
  fs.rmSync(at('node_modules'), { recursive: true, force: true });
  const args = ['install', '--no-save', '--include=dev', '--loglevel=error'];
  await tool('npm', args, 'Installing the packages failed: npm install');
  fs.writeFileSync(INSTALLED, lockFile());
}

async function build() {
  const [fresh, old] = [at('.cache', 'build'), at('.cache', 'build-old')];
  const clear = (folder) => fs.rmSync(folder, { recursive: true, force: true });
  clear(fresh);
  const hash = sources();
  await tool(process.execPath, [at('scripts', 'build.mjs'), 'all', fresh], 'The build failed');
  fs.writeFileSync(join(fresh, '.built'), hash);
  clear(old);
  if (fs.existsSync(at('dist'))) fs.renameSync(at('dist'), old);
  fs.renameSync(fresh, at('dist'));
  clear(old);
}

/** One process at a time installs and builds. Its holder touches the lock each second: one whose process is gone, or
 *  that nobody touches (a container that was killed: its pid means nothing here), is stale. */
async function locked(work) {
  const lock = at('.cache', 'run.lock');
  fs.mkdirSync(at('.cache'), { recursive: true });
  for (let waited = 0; ; waited += 1) {
    try {
      fs.writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = read(lock);
    if (holder !== undefined && isStale(lock, holder)) takeAway(lock, holder);
    if (waited === 10) process.stderr.write(`Waiting for another run that installs or builds (pid ${holder}) …\n`);
    await sleep(50 + Math.random() * 100);
  }
  const beat = setInterval(() => fs.utimesSync(lock, new Date(), new Date()), 1000);
  try {
    await work();
  } finally {
    clearInterval(beat);
    fs.rmSync(lock, { force: true });
  }
}

function isStale(lock, holder) {
  try {
    if (Date.now() - fs.statSync(lock).mtimeMs > STALE_MS) return true;
    return holder !== '' && !process.kill(Number(holder), 0);
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** By rename, so that of several who saw the same stale lock none takes away the fresh one of another. */
function takeAway(lock, holder) {
  const taken = `${lock}.${process.pid}`;
  try {
    fs.renameSync(lock, taken);
    if (read(taken) !== holder) fs.linkSync(taken, lock);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  }
  fs.rmSync(taken, { force: true });
}

async function makeReady() {
  if (isInstalled() && isBuilt()) return;
  await locked(async () => {
    if (!isInstalled()) await told('Installing the packages', install);
    if (!isBuilt()) await told('Building', build);
  });
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 12)) {
  fail(`This project needs Node 20.12 or newer, and this is ${process.version}.`);
}
const [program, ...args] = process.argv.slice(2);
try {
  await makeReady();
} catch (error) {
  fail(error.message);
}
const file = program === 'test' ? at('scripts', 'test.mjs') : at('dist', `${program}.js`);
if (program === undefined || !fs.existsSync(file))
  fail(`Usage: node run.mjs up|starter|worker|emulator/serve|test [args…]`);
process.argv = [process.argv[0], file, ...args];
if (program === 'test') await import(pathToFileURL(file));
// As the main module, so that a program which tests also import can tell the two apart.
else Module.runMain(file);
