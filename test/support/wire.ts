/** Bare servers, and the calls of the LeadConduit client that are tried on them. What a test opens is closed after it. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net, { type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { inspect } from 'node:util';
import { LeadConduitClient, type LeadConduitOptions, type SendPermit } from '../../src/leadconduit/client';
import { LeadConduitError, type CallName } from '../../src/leadconduit/leadconduit-error';

export const KEY = 'MARKED/key+with%signs=&more?';
export const INVITATION = '64b8f0f5e4b0c3a1d5e6f7a8';
export const OTHER = '64b8f0f5e4b0c3a1d5e6f7ff';
export const ONBOARD = '5fd4371e940df5a34a3888b2';
export const RECORD = {
  id: ONBOARD,
  invitation_id: INVITATION.toUpperCase(),
  flow_id: null,
  status: 'created',
  new_field: [1],
};

export const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

export async function listen(server: net.Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const folder = mkdtempSync(join(tmpdir(), 'wire-'));
afterAll(() => rmSync(folder, { recursive: true }));

function certificate(name: string, subject: string) {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  const made = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${name}`;
  execFileSync('openssl', [...made.split(' '), '-addext', `subjectAltName=${subject}`, '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  });
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}
export const right = certificate('right', 'IP:127.0.0.1');
export const elsewhere = certificate('elsewhere', 'DNS:elsewhere.example');

export type Protocol = 'http' | 'https';

/** The server's end of a TLS connection, whose reset resets the bare connection. */
function secured(bare: Socket): Socket {
  const socket = new TLSSocket(bare, { isServer: true, ...right });
  socket.on('error', () => undefined);
  return Object.assign(socket, { resetAndDestroy: () => bare.resetAndDestroy() });
}

/** A server of bare TCP, or of TLS, that counts what reaches it, and hands over each whole request that it has read. */
export async function rawServer(
  onRequest: (socket: Socket, request: string) => void = () => undefined,
  protocol: Protocol = 'http',
) {
  const seen = { connections: 0, bytes: 0, requests: [] as string[] };
  const server = net.createServer((bare) => {
    const socket = protocol === 'https' ? secured(bare) : bare;
    seen.connections += 1;
    let text = '';
    socket.on('data', (chunk) => {
      seen.bytes += chunk.length;
      text += chunk.toString();
      const [head, body] = text.split('\r\n\r\n');
      if (body === undefined || body.length < Number(/content-length: (\d+)/i.exec(head!)?.[1] ?? 0)) return;
      seen.requests.push(text);
      const request = text;
      text = '';
      onRequest(socket, request);
    });
  });
  const port = await listen(server);
  return { seen, server, port, baseUrl: `${protocol}://127.0.0.1:${port}` };
}

export function client(options: Partial<LeadConduitOptions> & { baseUrl: string }): LeadConduitClient {
  const made = new LeadConduitClient({
    apiKey: KEY,
    timeoutMs: 5_000,
    maxConcurrency: 3,
    maxListBytes: 10_000,
    ca: right.cert,
    ...options,
  });
  closers.push(() => made.close());
  return made;
}

export const soon = () => Date.now() + 10_000;
export const permit = (gate: SendPermit['gate'] = () => undefined): SendPermit => ({ slotUntil: soon(), gate });
export const run = (it: LeadConduitClient, operation: CallName, gate?: SendPermit['gate']): Promise<unknown> => {
  switch (operation) {
    case 'look':
      return it.look(soon());
    case 'create':
      return it.createOnboard({ invitation_id: INVITATION }, permit(gate));
    case 'put':
      return it.putOnboard(ONBOARD.toUpperCase(), { ...RECORD, status: 'in_progress' }, permit(gate));
  }
};

/** The error of a call that must fail, after making sure that no form of the key is in it. */
export async function failure(call: Promise<unknown>): Promise<LeadConduitError> {
  const error: unknown = await call.then(
    () => 'no error: the call succeeded',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LeadConduitError);
  const shown = inspect(error, { depth: 10, showHidden: true });
  for (const secret of ['MARKED', Buffer.from(KEY).toString('base64'), Buffer.from(`API:${KEY}`).toString('base64')])
    expect(shown).not.toContain(secret.replace(/=+$/, ''));
  expect(shown).not.toMatch(/AxiosError|authorization/i);
  return error as LeadConduitError;
}

export const reply = (status: string, body: string, headers = '') =>
  `HTTP/1.1 ${status}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n${headers}\r\n${body}`;
export const json = (status: string, body: unknown, headers = '') =>
  reply(status, JSON.stringify(body), `content-type: application/json\r\n${headers}`);
export const OPERATIONS: CallName[] = ['look', 'create', 'put'];
/** The time limit of a call that never ends, ms: long enough for all that must come before, on a slow machine too. */
export const SHORT_MS = 2_000;
