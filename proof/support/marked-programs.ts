/** The product's programs with the marked key, in a folder of their own that can be searched. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UpFile } from '../../src/temporal/up-file';
import { KEY } from './marked-key';

export const folder = mkdtempSync(join(tmpdir(), 'onboards-secrets-'));
export const at = (...names: string[]) => join(folder, ...names);
export const children: ChildProcess[] = [];
export const SETTINGS = { LEADCONDUIT_API_KEY: KEY, LEADCONDUIT_TIMEOUT: '1s', ONBOARDS_SETTLE: '250ms' };

/** One of the product's programs with the marked key; what it says goes to a file of this name. */
export function run(name: string, program: string, env: Record<string, string>, ...args: string[]): ChildProcess {
  const log = openSync(at(`${name}.log`), 'a');
  const path = join(__dirname, '..', '..', 'dist', `${program}.js`);
  const child = spawn(process.execPath, [path, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, ONBOARDS_DATA_DIR: at('data'), ...SETTINGS, ...env },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  children.push(child);
  return child;
}
export const saidBy = (name: string) => readFileSync(at(`${name}.log`), 'utf8');

/** The key of our own API, which `npm start` made, and a session of the console. */
export async function letIn({ url, key_file = '' }: NonNullable<UpFile['api']>): Promise<Record<string, string>> {
  const key = readFileSync(key_file, 'utf8').trim();
  const { headers } = await fetch(`${url}/login`, {
    method: 'POST',
    headers: { origin: url },
    body: new URLSearchParams({ key }),
    redirect: 'manual',
  });
  return {
    authorization: `Basic ${btoa(`API:${key}`)}`,
    cookie: headers.getSetCookie()[0]!.split(';')[0]!,
    'content-type': 'application/json',
    prefer: 'wait=1',
  };
}

export function selfSigned(): { key: string; cert: string } {
  const files = [at('tls', 'key.pem'), at('tls', 'cert.pem')] as const;
  mkdirSync(at('tls'));
  const made = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1';
  execFileSync('openssl', [...made.split(' '), '-keyout', files[0], '-out', files[1]], { stdio: 'pipe' });
  return { key: readFileSync(files[0], 'utf8'), cert: readFileSync(files[1], 'utf8') };
}
