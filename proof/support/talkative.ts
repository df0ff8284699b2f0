/** An upstream that repeats the key it was given in everything it says. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { newId } from '../../test/support/new-id';

/** Marks what it says: wherever these words are kept, the key was within reach. */
export const SAYING = 'you sent';

/** The key as plain text, in Base64 (in the header's and of itself), percent-encoded where it must be, and throughout. */
function words({ headers: { authorization = '' } }: IncomingMessage): string {
  const credentials = authorization.replace(/^Basic /, '');
  const key = Buffer.from(credentials, 'base64').toString().replace(/^API:/, '');
  const percent = (text: string) => text.replace(/./gs, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
  const forms = [key, credentials, Buffer.from(key).toString('base64'), Buffer.from(key).toString('base64url')];
  return `${SAYING} ${[...forms, ...forms.map(encodeURIComponent), percent(key), percent(credentials)].join(' , ')}`;
}

type Answer = (req: IncomingMessage, res: ServerResponse) => void;
const json =
  (status: number, body: (words: string) => object): Answer =>
  (req, res) =>
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body(words(req))));
const refusal = (status: number) => json(status, (error) => ({ error }));
const html =
  (status: number): Answer =>
  (req, res) =>
    res.writeHead(status, { 'content-type': 'text/html' }).end(`<html><body>${words(req)}</body></html>`);
const raw =
  (text: (words: string) => string): Answer =>
  (req, res) =>
    res.socket?.end(text(words(req)));
const foreign = (note: string) => ({ id: newId(), invitation_id: newId(), status: 'created', note });

/** What it can answer to any call. */
export const ANSWERS: Record<string, Answer> = {
  ...Object.fromEntries([307, 400, 401, 403, 404, 408, 409, 422, 429, 500, 503].map((n) => [String(n), refusal(n)])),
  'a gateway, 400': html(400),
  'a gateway, 502': html(502),
  'success that is no JSON': html(201),
  'success about another invitation': json(201, foreign),
  'a list that is none': json(200, (note) => ({ note })),
  'a list with an element that is none': json(200, (note) => [foreign(note), { note }]),
  'a body that is cut': raw((said) => `HTTP/1.1 201 Created\r\ncontent-length: 9999\r\n\r\n{"error":"${said}"`),
  'a reason phrase and headers': raw((said) => {
    const line = said.slice(0, 200);
    return `HTTP/1.1 400 ${line}\r\nretry-after: ${line}\r\nlocation: ${line}\r\ncontent-length: 0\r\n\r\n`;
  }),
  'what is no HTTP': raw((said) => said),
};

export interface Talkative {
  url: string;
  /** The answer to a look, unless `onLook` says another. */
  listed: object[];
  /** The answers to a look (GET), and to the write for an invitation. */
  onLook: keyof typeof ANSWERS | undefined;
  onAct: Map<string, string>;
  /** How many `PUT`s came. */
  puts: number;
  close(): Promise<unknown>;
}

export async function startTalkative(): Promise<Talkative> {
  const server = createServer((req, res) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of req as AsyncIterable<Buffer>) chunks.push(chunk);
      const { invitation_id = '' } = JSON.parse(Buffer.concat(chunks).toString() || '{}') as { invitation_id?: string };
      if (req.method === 'PUT') talkative.puts += 1;
      const named = req.method === 'GET' ? talkative.onLook : talkative.onAct.get(invitation_id);
      (ANSWERS[named ?? ''] ?? ((_, list) => list.end(JSON.stringify(talkative.listed))))(req, res);
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.closeAllConnections();
    return once(server.close(), 'close');
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const talkative: Talkative = { url, listed: [], onLook: undefined, onAct: new Map(), puts: 0, close };
  return talkative;
}
