/** Text from outside steers neither a terminal nor a log nor a page, on any door. */
import { request } from 'node:http';
import { connect } from 'node:net';
import { text as all } from 'node:stream/consumers';
import { LINE_THAT_SHOWS, SHOWS, toJson, visible } from '../../src/visible';
import { Api, KEY } from '../support/api';
import { Cli } from '../support/cli';
import { World } from '../support/world';

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => String.fromCharCode(from + i));
/** C0, DEL and C1; separators of lines; what turns the direction of writing. */
const CONTROLS = [...range(0, 0x1f), ...range(0x7f, 0x9f), '\u2028', '\u2029'];
const TURNS = ['\u061c', '\u200e', '\u200f', ...range(0x202a, 0x202e), ...range(0x2066, 0x206f)];
const steers = (text: string) => [...CONTROLS, ...TURNS].filter((one) => text.includes(one));
/** But for the line breaks that are ours. */
const steersLines = (text: string) => steers(text.replaceAll('\n', ''));

test.each([...CONTROLS, ...TURNS, '\ud800', '\udc00'].map((one) => [`U+${one.charCodeAt(0).toString(16)}`, one]))(
  '%s is shown as something harmless, and comes through JSON unchanged',
  (_, one) => {
    expect(visible(`a${one}${one}b`)).toMatch(/^a( |\ufffd\ufffd)b$/);
    for (const indent of [undefined, 2]) {
      const json = toJson({ [one]: [`a${one}b`] }, indent);
      expect(steersLines(json)).toEqual([]);
      expect(JSON.parse(json)).toEqual({ [one]: [`a${one}b`] });
    }
  },
);

test('other writing stays as it is', () => {
  const words = 'Ünïcödé 日本語 שלום عربى 👩‍👩‍👧 é "quoted" \\';
  expect(visible(words)).toBe(words);
  expect(toJson(words)).toBe(JSON.stringify(words));
});

test('a text of which nothing shows is told from one that shows something, if only a sign', () => {
  const unseen = [
    '',
    ' ',
    '\u00a0',
    '\u200b',
    '\u00ad',
    '\u2060',
    '\ufeff',
    '\u3000',
    '\u2800',
    '\u3164',
    ...CONTROLS,
    ...TURNS,
  ];
  for (const one of unseen) {
    expect([one, SHOWS.test(one + one), LINE_THAT_SHOWS.test(one + one)]).toEqual([one, false, false]);
    expect([one, SHOWS.test(`${one}a${one}`)]).toEqual([one, true]);
  }
  for (const one of ['é', '日', '👩‍👩‍👧', ' שלום ', '-', '\u200b.', '\u0301'])
    expect([one, SHOWS.test(one), LINE_THAT_SHOWS.test(one)]).toEqual([one, true, true]);
  for (const one of ['a\n', '\na', 'a\u0000b']) expect([one, LINE_THAT_SHOWS.test(one)]).toEqual([one, false]);
});

describe('on the doors', () => {
  const WORDS = `a\u009b31m b\u202ec\u2066 d\x1b[31m e\u200f`;
  let world: World;
  let api: Api;
  let cookie: string;
  let log: string[];
  let spy: jest.SpyInstance;

  beforeAll(async () => {
    world = await World.start();
    api = await Api.start(world);
    await world.create();
    await world.send({ name: 'hold', by: `ann ${WORDS}`, reason: WORDS });
    const { headers } = await fetch(`${api.url}/login`, {
      method: 'POST',
      headers: { origin: api.url },
      body: new URLSearchParams({ key: KEY, who: `bob ${WORDS}` }),
      redirect: 'manual',
    });
    cookie = headers.getSetCookie()[0]!.split(';')[0]!;
  });
  afterAll(async () => {
    await api.close();
    await world.close();
  });
  beforeEach(() => {
    log = [];
    spy = jest.spyOn(console, 'error').mockImplementation((...args) => void log.push(args.map(String).join(' ')));
  });
  afterEach(() => spy.mockRestore());

  test('the command line: its text, its JSON and its lines of JSON', async () => {
    const cli = new Cli(world);
    const [shown, json] = [await cli.run('show', world.invitation), await cli.run('show', '--json', world.invitation)];
    expect(shown.out).toContain('ann a');
    expect(steersLines(shown.out)).toEqual([]);
    expect(steersLines(json.out)).toEqual([]);
    expect(JSON.stringify(json.json())).toContain('ann a');
    const watching = cli.start('watch', '--json', world.invitation);
    let watched = '';
    for await (const chunk of watching.stdout!) if ((watched += String(chunk)).endsWith('\n')) break;
    watching.kill();
    expect(watched).toContain('ann a');
    expect(steersLines(watched)).toEqual([]);
    const refused = await cli.run('show', `no\u009bid\u202e`);
    expect(refused.err).toContain('Not an id');
    expect(steersLines(refused.err)).toEqual([]);
  });

  test('the console: the page of an onboard, the list, who is logged in', async () => {
    for (const path of ['/', `/console/onboards/${world.invitation}`, `/?q=${encodeURIComponent(WORDS)}`]) {
      const page = await (await fetch(api.url + path, { headers: { cookie } })).text();
      expect(page).toContain('bob a');
      expect(steersLines(page)).toEqual([]);
    }
  });

  /** As somebody types it who means ill: no client in between makes it well formed. */
  async function raw(head: string, body = ''): Promise<string> {
    const { hostname, port } = new URL(api.url);
    const socket = connect({ host: hostname, port: Number(port) });
    const host = new URL(api.url).host;
    const answer = all(socket.setEncoding('latin1'));
    socket.write(
      `${head.replace('\r\n', `\r\nHost: ${host}\r\nConnection: close\r\nCookie: ${cookie}\r\nOrigin: ${api.url}\r\n`)}\r\n\r\n${body}`,
      'latin1',
    );
    return answer;
  }
  const authorization = `Authorization: Basic ${btoa(`API:${KEY}`)}`;
  const id = '64b8f0f5e4b0c3a1d5e6f7a8';

  test.each([
    ['an escape and a line break in a path', 'GET /console/onboards/%1B%5B31mX%0D%0AFAKE/advance HTTP/1.1\r\n'],
    ['the same, to one that acts', 'POST /console/onboards/%1B%5B31mX%0D%0AFAKE/hold HTTP/1.1\r\n'],
    ['the same, as the act', `POST /console/onboards/${id}/%1B%5B31mX%0D%0AFAKE HTTP/1.1\r\n`],
    ['the same, to the API', `GET /onboards/%1B%5B31mX%0D%0AFAKE/state HTTP/1.1\r\n${authorization}`],
    ['a path that is nowhere, with raw C1', `GET /\x9b31m\x85FAKE HTTP/1.1\r\n`],
    ['a method that is not for it, with raw C1', `DELETE /onboards/\x9b31m HTTP/1.1\r\n${authorization}`],
    ['percents that are none', 'GET /console/onboards/%E0%A4%A/advance HTTP/1.1\r\n'],
    ['percents that are none, to the API', `GET /onboards/%E0%A4%A HTTP/1.1\r\n${authorization}`],
    ['a word that every object has', `GET /console/onboards/${id}?said=constructor HTTP/1.1\r\n`],
    ['an address to go on to', `GET /login?next=%0D%0ASet-Cookie:%20a=b HTTP/1.1\r\n`],
    ['a host that is none', 'GET /login HTTP/1.1\r\nHost: [\r\n'],
  ])('%s: refused as what it is, without a stack, and nothing of it in the log or the answer', async (_, head) => {
    const answer = await raw(head);
    expect(answer).toMatch(/^HTTP\/1\.1 [234]\d\d /);
    expect(steers(answer.replaceAll('\r\n', '\n').replaceAll('\n', ''))).toEqual([]);
    expect(answer).not.toMatch(/^(FAKE|Set-Cookie)/im);
    expect(log).toEqual([]);
  });

  test.each([
    ['a form that breaks off', 'multipart/form-data; boundary=x', '--x\r\nContent-Disposition: form-data; name="key"'],
    ['a form without a boundary', 'multipart/form-data', 'key=1'],
    ['a form that is another', 'multipart/form-data; boundary=x', 'key=1'],
    [
      'a file for a key',
      'multipart/form-data; boundary=x',
      '--x\r\nContent-Disposition: form-data; name="key"; filename="\x9b"\r\n\r\n\r\n--x--',
    ],
    ['no letters of a URL', 'application/x-www-form-urlencoded', 'key=%E0%A4%A&%=%&=&\x9b'],
  ])('%s, at the log-in: refused, without a stack', async (_, type, body) => {
    const answer = await raw(`POST /login HTTP/1.1\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}`, body);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(log.filter((line) => !line.startsWith('Wrong key from '))).toEqual([]);
  });

  test('a bug of ours is told in the log with its place, in lines that nobody else wrote', async () => {
    const broken = jest.spyOn(world.onboards.lists, 'records').mockRejectedValue(new Error(`a\r\nFAKE ${WORDS}`));
    expect(await api.get('/onboards')).toMatchObject({
      status: 500,
      body: { error: 'This server could not answer because of a bug: its log has the details' },
    });
    broken.mockRestore();
    expect(log.join('\n')).toMatch(/^Error: a FAKE a 31m/);
    expect(log.join('\n')).toMatch(/\n {4}at /);
    expect(steersLines(log.join('\n'))).toEqual([]);
  });

  /** How long one request takes of the only thread, with so many letters in it. */
  const busy = async (send: (length: number) => Promise<unknown>, length: number) => {
    const before = process.cpuUsage();
    await send(length);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };

  test.each<[string, (text: string) => Promise<unknown>]>([
    ['a label', (label) => api.post('/onboards', { invitation_id: id, label })],
    ['a note', (text) => api.post(`/onboards/${id}/note`, { text })],
    ['who asks', (by) => api.post(`/onboards/${id}/hold`, { by })],
    ['a field that there is not', (name) => api.post(`/onboards/${id}/hold`, { [name]: 1 })],
    ['an id', (flow_id) => api.post('/onboards', { invitation_id: id, flow_id })],
    ['a form', (label) => post('/console/onboards', new URLSearchParams({ invitation_id: id, label }))],
    ['an address to go on to', (next) => post('/login', new URLSearchParams({ key: KEY, next: `/${next}` }))],
    [
      'what to wait for',
      (text) => api.post('/onboards', {}, { headers: { prefer: text.replace(/[^ -~]/g, '').slice(0, 15_000) } }),
    ],
  ])('the time that %s takes grows no faster than its length', async (_, send) => {
    for (const filling of ['a', ' ', 'wait ', '/'])
      for (const end of ['\u0001', '\n', '!']) {
        const take = (length: number) => busy((n) => send(filling.repeat(n / filling.length) + end), length);
        await take(3_000);
        const short = Math.max(await take(10_000), 3_000);
        // Where it grows with the square, it is as many times more again.
        for (const times of [16, 90]) expect(await take(10_000 * times)).toBeLessThan(short * times * 5);
      }
  });

  const post = async (path: string, body: URLSearchParams) => {
    const sent = request(api.url + path, {
      method: 'POST',
      headers: { cookie, origin: api.url, 'content-type': 'application/x-www-form-urlencoded' },
    });
    sent.on('error', () => undefined);
    sent.end(body.toString());
    await new Promise((resolve) => sent.once('close', resolve));
  };
});
