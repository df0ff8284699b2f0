/** Bare calls to an emulator, and what it has counted. What a test starts is ended after it. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startEmulator, type Emulator, type EmulatorOptions } from '../../src/emulator/serve';
import type { OnboardRecord } from '../../src/leadconduit/schema';

export const HEX = /^[0-9a-f]{24}$/;
export const INVITATION = '64b8f0f5e4b0c3a1d5e6f7a8';
export const OTHER = '64b8f0f5e4b0c3a1d5e6f7a9';
export const FLOW = '64b8f0f5e4b0c3a1d5e6f7ab';

export interface Reply {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
  json: unknown;
}
export interface Extra {
  auth?: string | null;
  type?: string | null;
  raw?: string;
  signal?: AbortSignal;
  agent?: http.Agent | false;
}
interface Summary {
  invitations: Record<string, { posts: number; creates: number; puts: number; completes: number; emails: number }>;
  calls: { GET: number; POST: number; PUT: number };
  max_in_flight: number;
}

const running: Emulator[] = [];
export const children: ChildProcess[] = [];
const folders: string[] = [];

export async function start(options: Partial<EmulatorOptions> = {}): Promise<Emulator> {
  const emulator = await startEmulator({ port: 0, ...options });
  running.push(emulator);
  return emulator;
}

export function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'emulator-'));
  folders.push(made);
  return made;
}

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(running.splice(0).map((emulator) => emulator.close()));
  for (const made of folders.splice(0)) rmSync(made, { recursive: true });
});

/** One call on a connection of its own, so that nothing is sent again behind the test's back. */
export function call(url: string, method: string, target: string, body?: unknown, extra: Extra = {}): Promise<Reply> {
  const { auth = 'API:some-key', type = 'application/json', raw, signal, agent = false } = extra;
  const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const headers = {
    ...(auth !== null && { authorization: `Basic ${Buffer.from(auth).toString('base64')}` }),
    ...(payload !== undefined && {
      'content-length': Buffer.byteLength(payload),
      ...(type && { 'content-type': type }),
    }),
  };
  return new Promise((resolve, reject) => {
    const request = http.request(url + target, { method, headers, agent, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', (error) => reject(Object.assign(error, { text, headers: response.headers })));
      response.on('end', () => {
        const isJson = response.headers['content-type'] === 'application/json';
        const json: unknown = isJson && text ? JSON.parse(text) : undefined;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
      });
    });
    request.on('error', reject);
    request.end(payload);
  });
}

type Server = Pick<Emulator, 'url'>;
export const post = (to: Server, invitation_id = INVITATION, extra?: Extra) =>
  call(to.url, 'POST', '/onboards', { invitation_id }, extra);
export const put = (to: Server, record: Partial<OnboardRecord>, id = record.id ?? '') =>
  call(to.url, 'PUT', `/onboards/${id}`, record);
export const get = (to: Server, extra?: Extra) => call(to.url, 'GET', '/onboards', undefined, extra);
export const plan = (to: Server, ...faults: object[]) =>
  call(to.url, 'PUT', '/_emulator/faults', faults, { auth: null });
export const set = (to: Server, options: object) => call(to.url, 'PUT', '/_emulator/options', options, { auth: null });
export const recordOf = (reply: Reply) => reply.json as OnboardRecord;
export const listed = async (to: Server) => (await get(to)).json as OnboardRecord[];
export const summary = async (to: Server) =>
  (await call(to.url, 'GET', '/_emulator/ledger', undefined, { auth: null })).json as Summary;
export const effects = async (to: Server, invitation = INVITATION) => (await summary(to)).invitations[invitation];
export const made = async (to: Server, invitation?: string) => recordOf(await post(to, invitation));

/** Waits until the condition holds: for what happens in the server while its answer is held back. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10));
}
