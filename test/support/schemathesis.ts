import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

const REQUIREMENTS = join(__dirname, 'schemathesis-requirements.txt');
const CONFIG = join(__dirname, 'schemathesis.toml');
const NEEDED =
  'The document of the API is tried with Schemathesis, which needs python3 (3.10 or newer) with pip on the PATH; on Debian: apt-get install python3-pip';

type Environment = Record<string, string | undefined>;

/** The folder of Schemathesis, which is kept in the cache and installed into it from PyPI if it is missing. */
export async function findSchemathesis(env: Environment = process.env): Promise<string> {
  const cache = join(env.XDG_CACHE_HOME ?? join(env.HOME ?? homedir(), '.cache'), 'durable-onboards');
  const python = await answerOf(['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], env);
  const wanted = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 8);
  // Each version of Python has its own, because parts of it are compiled.
  const kept = join(cache, `schemathesis-${wanted}-python-${python.trim()}`);
  if (existsSync(kept)) return kept;
  mkdirSync(cache, { recursive: true });
  const fresh = mkdtempSync(join(cache, 'schemathesis-'));
  try {
    process.stderr.write(`Installing Schemathesis from PyPI (python3 -m pip) into ${kept}\n`);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--root-user-action=ignore'];
    await answerOf([...pip, '--target', fresh, '-r', REQUIREMENTS], env);
    if (!existsSync(kept)) renameSync(fresh, kept);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return kept;
}

/** @throws with what is needed */
async function answerOf(args: string[], env: Environment): Promise<string> {
  const { code, out } = await run(args, env, tmpdir());
  if (code !== 0) throw new Error(`${NEEDED}\n${out.trim()}`);
  return out;
}

/** Tries every call of the document at `url`/openapi.json, with what it allows and with what it does not. */
export async function schemathesis(
  folder: string,
  { url, key, seed, examples }: { url: string; key: string; seed: number; examples: number },
): Promise<{ code: number | null; out: string }> {
  const cwd = mkdtempSync(join(tmpdir(), 'onboards-schemathesis-'));
  const options = ['--checks', 'all', '--workers', '1', '--no-color', '--seed', `${seed}`, '-n', `${examples}`];
  const command = ['-m', 'schemathesis.cli', '--config-file', CONFIG, 'run', `${url}/openapi.json`];
  try {
    const env = { PATH: process.env.PATH, HOME: cwd, PYTHONPATH: folder, PYTHONUTF8: '1', NO_PROXY: '*' };
    return await run([...command, '--auth', `API:${key}`, ...options], env, cwd);
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

function run(args: string[], env: Environment, cwd: string): Promise<{ code: number | null; out: string }> {
  const child = spawn('python3', args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (out += chunk.toString()));
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, out: error.message }));
    child.once('close', (code) => resolve({ code, out }));
  });
}
