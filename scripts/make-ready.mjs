/** Installs if the lock file has changed, and builds if the sources have. It uses only Node's own modules, because a fresh
 *  clone has no others. It writes nothing to standard output, which belongs to the program that runs afterwards. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { fileURLToPath } from 'node:url';
import { oneAtATime } from './one-at-a-time.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...path) => join(root, ...path);
const INSTALLED = at('node_modules', '.durable-onboards');
const BUILT = at('dist', '.built');

/** @throws an error whose message can be shown, when a tool fails */
export async function makeReady() {
  if (isInstalled() && isBuilt()) return;
  const work = async () => {
    if (!isInstalled()) await told('Installing the packages', install);
    if (!isBuilt()) await told('Building', build);
  };
  await oneAtATime(at('.cache', 'run.lock'), work, (holder) =>
    process.stderr.write(`Waiting for another run that installs or builds (pid ${holder}) …\n`),
  );
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
const isBuilt = () => read(BUILT) === sources();

/** Also true after an `npm ci` by hand, because npm notes what it installed. */
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

/** Installs as `npm ci` does, but accepts a lock file without other systems' optional packages: not every registry has them,
 *  so a lock file made there does not either. */
async function install() {
  fs.rmSync(at('node_modules'), { recursive: true, force: true });
  const args = ['install', '--no-save', '--include=dev', '--loglevel=error'];
  const todo = 'check that npm reaches its registry (npm ping), then run the same command again';
  await tool('npm', args, `The packages could not be installed: ${todo}. The end of npm install`);
  fs.writeFileSync(INSTALLED, lockFile());
}

/** Builds beside `dist`, which is then replaced as a whole: a build that is cut short leaves the old one. */
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

async function tool(command, args, failure) {
  let output = '';
  // npm and the packages get none of our settings, because secrets are among them.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(LEADCONDUIT|ONBOARDS|TEMPORAL)_/.test(name)),
  );
  const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const end = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? '' : `ended with ${signal ?? `code ${code}`}`));
  });
  if (end) throw new Error(`${failure} (${end})\n${output.trim().split('\n').slice(-20).join('\n')}`);
}

/** Shows on standard error what is being done: on a terminal one line with the seconds, elsewhere a plain line. */
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
