/** What the pages of the console show, how they follow what happens, and to whom. */
import type { Browser, Route } from 'playwright-core';
import { OnboardsError, type RowWithRecord } from '../../src/client';
import { OnboardHandle } from '../../src/client/handle';
import { act, Console, does, ELSEWHERE, launch, open, phase, screenshot, shows, timeline } from '../support/console';
import { newId } from '../support/world';

let browser: Browser;
let site: Console;
beforeAll(async () => {
  browser = await launch();
  site = await Console.start();
}, 60_000);
afterAll(async () => {
  await browser.close();
  await site.close();
});
afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(browser.contexts().map((context) => context.close()));
  await site.world.mend();
});

describe('live', () => {
  test('two operators at once: each sees what the other does, and what is typed stays', async () => {
    const [ann, bob] = [await site.enter(browser, 'ann'), await site.enter(browser, 'bob')];
    const id = await site.waiting();
    await open(ann, id);
    await open(bob, id);
    await act(ann, 'Note').locator('summary').click();
    await ann.getByLabel('Text').fill('half a sent');
    await does(bob, 'Hold', 'wait');
    await phase(ann).getByText('held').waitFor();
    expect(await ann.getByLabel('Text').inputValue()).toBe('half a sent');
    expect(await act(ann, 'Hold').count()).toBe(0);
    await act(bob, 'Note').locator('summary').click();
    await bob.getByLabel('Text').fill('and mine');
    await Promise.all([ann, bob].map((page) => act(page, 'Note').getByRole('button').click()));
    await timeline(ann).getByText('note: half a sent').waitFor();
    await timeline(ann).getByText('note: and mine').waitFor();
  });

  test('the list follows what happens without a reload', async () => {
    const page = await site.enter(browser, 'ann');
    const label = `Live ${newId().slice(0, 6)}`;
    await page.getByLabel('Any id or label').fill(label);
    await page.getByRole('button', { name: 'Show' }).click();
    await shows(page, 'No onboard matches.');
    const id = await site.waiting(label);
    await page.getByRole('link', { name: label }).waitFor();
    await site.world.onboards.get(id).send({ name: 'hold' });
    await page.locator(`#row-${id} .phase`, { hasText: 'held' }).waitFor();
  });

  test('says so when it has lost the connection, and when it has it again', async () => {
    const page = await site.enter(browser, 'ann');
    const id = await site.waiting();
    await open(page, id);
    await page.locator('#connection', { hasText: 'Live' }).waitFor();
    await site.stopServer();
    await page.locator('#connection', { hasText: 'The connection is lost. What you see is from' }).waitFor();
    await screenshot(page, 'lost');
    await site.startServer();
    await page.locator('#connection', { hasText: 'Live' }).waitFor();
    await site.world.onboards.get(id).send({ name: 'hold' });
    await phase(page).getByText('held').waitFor();
  });

  test.each([
    ['refused', (route: Route) => route.fulfill({ status: 503 })],
    ['lost', (route: Route) => route.abort()],
  ])('a first connection that is %s is tried again', async (_, fail) => {
    const page = await site.enter(browser, 'ann');
    const id = await site.waiting();
    const first = jest.fn(fail);
    await page.route(/\/live\?/, first, { times: 1 });
    await open(page, id);
    await page.locator('#connection.live').waitFor({ timeout: 30_000 });
    expect(first).toHaveBeenCalled();
  });

  test('a tab that was opened in the background connects when it is looked at, and once', async () => {
    const page = await site.enter(browser, 'ann');
    const id = await site.waiting();
    await page.addInitScript("Object.defineProperty(document, 'hidden', { value: true, writable: true })");
    const asked: string[] = [];
    const isLive = (url: string) => url.includes('/live?');
    page.on('request', (request) => asked.push(request.url()));
    await open(page, id);
    await page.waitForFunction("document.getElementById('live')._htmx");
    expect(asked.filter(isLive)).toEqual([]);
    await page.evaluate("document.hidden = false; document.dispatchEvent(new Event('visibilitychange'))");
    await page.locator('#connection.live').waitFor();
    expect(asked.filter(isLive)).toHaveLength(1);
  });

  test('what cannot be shown now is said in words, not "Live", until it can again; the log has it once', async () => {
    const page = await site.enter(browser, 'ann');
    await open(page, await site.waiting());
    await page.locator('#connection.live').waitFor();
    const log = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    const state = jest.spyOn(OnboardHandle.prototype, 'state');
    const thrice = new Promise<void>((resolve) => {
      state.mockImplementation(() => {
        if (state.mock.calls.length === 3) resolve();
        return Promise.reject(new Error('a bug of the tests'));
      });
    });
    await page.locator('#connection.lost', { hasText: 'This server could not answer' }).waitFor();
    await thrice;
    expect(log).toHaveBeenCalledTimes(1);
    state.mockRestore();
    await page.locator('#connection.live').waitFor();
  });

  test('no worker running is said in words, with the last that is known', async () => {
    const page = await site.enter(browser, 'ann');
    const id = await site.waiting('Left alone');
    await open(page, id);
    await site.world.stopWorker();
    await page.getByRole('alert').getByText('a worker: none is running').waitFor({ timeout: 20_000 });
    expect(await page.locator('.lifecycle [aria-current]').textContent()).toContain('created');
    await site.world.startWorker();
    await act(page, 'Hold').waitFor({ timeout: 20_000 });
  });
});

describe('the list', () => {
  test('that could not be read yet is not empty: 503 with why', async () => {
    const page = await site.enter(browser, 'ann');
    const words = 'Temporal did not answer in time';
    jest.spyOn(site.world.onboards.lists, 'rowsWithRecords').mockRejectedValue(new OnboardsError('temporal', words));
    await site.stopServer();
    await site.startServer();
    expect((await page.goto('/'))?.status()).toBe(503);
    await page.getByRole('alert').getByText(words).waitFor();
    jest.restoreAllMocks();
    expect((await page.goto('/'))?.status()).toBe(200);
  });

  test('of 5,000 pages in order to its end, each with how long it has been in its status and phase', async () => {
    const page = await site.enter(browser, 'ann', { javaScriptEnabled: false });
    const since = (n: number) => new Date(Date.now() - 30 * 86_400_000 - (4_999 - n) * 60_000).toISOString();
    const rows = Array.from({ length: 5_000 }, (_, n): RowWithRecord => {
      const phase = n === 4_999 ? 'attention' : n < 2_500 ? 'done' : 'waiting';
      const none = { onboard_id: null, flow_id: null, attention_code: null };
      const invitation_id = n.toString(16).padStart(24, '0');
      const created_at = new Date(Date.now() - 40 * 86_400_000).toISOString();
      const record = { id: invitation_id, invitation_id, created_at, updated_at: since(n) };
      return { ...none, invitation_id, label: `No. ${n}`, status: 'created', phase, since: since(n), record };
    });
    jest.spyOn(site.world.onboards.lists, 'rowsWithRecords').mockImplementation(() => Promise.resolve([...rows]));
    await site.stopServer();
    await site.startServer();
    const labels = () => page.locator('.list tbody th a').allTextContents();
    const from = (first: number, count: number) => Array.from({ length: count }, (_, n) => `No. ${first + n}`);
    await page.goto('/');
    await page.getByText('5000 onboards, page 1 of 100').waitFor();
    expect(await labels()).toEqual(['No. 4999', ...from(2_500, 49)]);
    const first = page.locator('.list tbody tr', { hasText: 'No. 4999' });
    expect(await first.locator('time').allTextContents()).toEqual(['40 days', '30 days']);
    await page.getByRole('link', { name: 'Next' }).click();
    expect(await labels()).toEqual(from(2_549, 50));
    await page.goto('/?page=100');
    await page.getByText('page 100 of 100').waitFor();
    expect(await labels()).toEqual(from(2_450, 50));
    expect(await page.getByRole('link', { name: 'Next' }).count()).toBe(0);
    jest.restoreAllMocks();
    await site.stopServer();
    await site.startServer();
  });

  test('counts, filters, searches by any id or label, and has first what needs attention', async () => {
    const page = await site.enter(browser, 'ann');
    const mark = newId().slice(0, 8);
    const ids = [await site.waiting(`${mark} one`), await site.waiting(`${mark} two`)];
    const invitation_id = newId();
    await site.world.faults({ on: 'POST', when: 'before', do: 'status', status: 422, invitation_id });
    await site.world.onboards.onboard({ invitation_id, label: `${mark} three` }, 20_000);
    await page.goto(`/?q=${mark}`);
    await page.locator('.count', { hasText: 'attention 1' }).waitFor();
    await page.locator('.count', { hasText: 'all 3' }).waitFor();
    expect(await page.locator('.list tbody th a').allTextContents()).toEqual([
      `${mark} three`,
      `${mark} one`,
      `${mark} two`,
    ]);
    await screenshot(page, 'list');
    await page.getByRole('link', { name: 'attention 1' }).click();
    expect(await page.locator('.list tbody th a').allTextContents()).toEqual([`${mark} three`]);
    const { record } = await site.world.onboards.get(ids[1]!).state();
    for (const id of [ids[1]!.toUpperCase(), record!.id, record!.account_id!, record!.connection_id!]) {
      await page.goto('/');
      await page.getByLabel('Any id or label').fill(id);
      await page.getByLabel('Any id or label').press('Enter');
      await page.getByText('1 onboard', { exact: true }).waitFor();
      await page.getByRole('link', { name: `${mark} two` }).waitFor();
    }
    await page.locator('select[name=status]').selectOption('completed');
    await page.getByRole('button', { name: 'Show' }).click();
    await shows(page, 'No onboard matches.');
  });
});

describe('who may', () => {
  test('nobody without a key, and a reading key changes nothing', async () => {
    const page = await (await browser.newContext({ baseURL: site.url })).newPage();
    const id = await site.waiting();
    await open(page, id);
    await page.getByLabel('Key').fill('not a key');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').getByText('not known').waitFor();

    const reader = await site.enter(browser, 'eve', { role: 'read' });
    await open(reader, id);
    await shows(reader, 'This key has the role read, which may change nothing.');
    const answer = await reader.request.post(`/console/onboards/${id}/hold`, {
      headers: { origin: site.url },
      form: {},
    });
    expect(answer.status()).toBe(403);
    await reader.getByRole('button', { name: 'Log out' }).click();
    await reader.getByRole('heading', { name: 'Log in' }).waitFor();
  });

  test('whoever is at a name of its own, without TLS, too', async () => {
    const page = await site.enter(browser, 'ann', { baseURL: site.url.replace('127.0.0.1', ELSEWHERE) });
    await open(page, await site.waiting());
    await does(page, 'Hold');
    await phase(page).getByText('held').waitFor();
  });

  test('a session that has ended shows nothing more, on other pages neither', async () => {
    const page = await site.enter(browser, 'ann');
    const id = await site.waiting();
    await open(page, id);
    await page.locator('#connection', { hasText: 'Live' }).waitFor();
    const other = await page.context().newPage();
    await other.goto('/');
    await other.getByRole('button', { name: 'Log out' }).click();
    await other.getByRole('heading', { name: 'Log in' }).waitFor();
    await page.locator('#connection', { hasText: 'Your session has ended' }).waitFor();
    await does(page, 'Hold');
    await page.getByRole('alert').getByText('Your session has ended, and nothing was done.').waitFor();
    expect(await site.world.onboards.get(id).state()).toMatchObject({ held: false });
  });

  test('live pages that nobody reads take no place from those that are read', async () => {
    const page = await site.enter(browser, 'ann');
    const heads = Array.from({ length: 205 }, () => page.request.head('/console/live'));
    for (const head of await Promise.all(heads)) expect(head.status()).toBe(200);
    await page.reload();
    await page.locator('#connection', { hasText: 'Live' }).waitFor();
  });

  test('no other site can make a logged-in browser write, and pages load nothing from elsewhere', async () => {
    const page = await site.enter(browser, 'ann');
    const id = await site.waiting();
    const hosts = new Set<string>();
    page.on('request', (request) => hosts.add(new URL(request.url()).origin));
    const answer = await open(page, id);
    const policy = answer!.headers()['content-security-policy'];
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|data:|https?:/);
    await page.locator('#connection', { hasText: 'Live' }).waitFor();
    expect([...hosts]).toEqual([site.url]);
    const forged = await page.request.post(`/console/onboards/${id}/hold`, {
      headers: { origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site' },
      form: { key: 'k' },
    });
    expect(forged.status()).toBe(403);
    expect(await site.world.onboards.get(id).state()).toMatchObject({ held: false });
  });
});
