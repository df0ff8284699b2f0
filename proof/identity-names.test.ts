/** Whoever changes something, or looks at a page, is told whose onboards these are. */
import { Api, KEY } from '../test/support/api';
import { Cli } from '../test/support/cli';
import { newId, World } from '../test/support/world';

jest.setTimeout(120_000);

let world: World;
let cli: Cli;
beforeAll(async () => {
  world = await World.start();
  cli = new Cli(world);
});
afterAll(() => world.close());

const where = () => `LeadConduit: ${world.emulator.url}`;

test('every command that changes something names it, and none with --json', async () => {
  const [id, other, third] = [newId(), newId(), newId()];
  const commands = [
    ['start', id],
    ['start', id, other],
    ['advance', id, '--to', 'in_progress'],
    ['hold', id],
    ['note', id, 'a note'],
    ['release', id],
    ['resolve', id, '--action', 'retry'],
    ['cancel', other],
  ];
  for (const command of commands) {
    if (command[0] === 'resolve') {
      await world.faults({ on: 'PUT', when: 'before', do: 'status', status: 422, times: 1, invitation_id: id });
      await cli.run('advance', id, '--to', 'completed', '--json');
    }
    const told = await cli.run(...command);
    expect({ command, told }).toMatchObject({
      told: { code: 0, err: '', out: expect.stringContaining(where()) as string },
    });
  }
  for (const command of [
    ['start', third],
    ['note', third, 'a note'],
    ['hold', third],
  ]) {
    const told = await cli.run(...command, '--json');
    expect({ command, told }).toMatchObject({ told: { code: 0, err: '' } });
    expect(told.out).not.toMatch('LeadConduit:');
  }
});

test('a person who is asked before completing is told, too', async () => {
  const id = newId();
  await cli.run('start', id, '--json');
  const asked = await cli.onTerminal('no\n', 'advance', id, '--to', 'completed');
  expect(asked.code).toBe(4);
  expect(asked.out).toMatch(new RegExp(`${where()}\\s+Complete ${id}\\?`));
});

test('a command that failed, and may be carried out all the same, says where', async () => {
  const id = newId();
  await cli.run('start', id, '--json');
  await world.stopWorker();
  const held = await cli.run('hold', id);
  await world.startWorker();
  expect(held).toMatchObject({ code: 1, out: '' });
  expect(held.err).toMatch(/^No worker answered .*\n$/);
  expect(held.err).toMatch(`(${where()})`);
});

describe('the console', () => {
  let api: Api;
  let cookie: string;
  beforeAll(async () => {
    api = await Api.start(world);
    const body = new URLSearchParams({ key: KEY, who: 'ann' });
    const { headers } = await fetch(`${api.url}/login`, { method: 'POST', body, redirect: 'manual', headers: from() });
    cookie = headers.get('set-cookie')!.split(';')[0]!;
  });
  afterAll(() => api.close());
  const from = () => ({ origin: api.url });
  const page = (path: string, form?: Record<string, string>) =>
    fetch(api.url + path, {
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
      headers: { cookie, ...from() },
    }).then((response) => response.text());
  const HEADER = () => `<p class="leadconduit">LeadConduit: ${world.emulator.url}</p>`;

  test('names it on every page', async () => {
    const id = newId();
    await cli.run('start', id, '--json');
    const pages = [
      await page('/'),
      await page('/?phase=waiting'),
      await page('/login'),
      await page('/login', { key: 'wrong' }),
      await page(`/console/onboards/${id}`),
      await page(`/console/onboards/${newId()}`),
      await page('/console/onboards', { invitation_id: 'none' }),
      await page(`/console/onboards/${id}/hold`, { by: 'x'.repeat(300) }),
      await page(`/console/onboards/${id}/advance`, { to: 'completed' }),
    ];
    for (const html of pages) expect(html).toContain(HEADER());
    expect(pages.at(-1)).toContain(`<dt>At LeadConduit</dt><dd>${world.emulator.url}</dd>`);
  });
});
