import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { EmulatorControl } from '../../src/http/console/emulator-control';
import { hashOf, Keys, type Role } from '../../src/http/keys';
import { startServer, type ApiServer } from '../../src/http/server';
import { sessionsOf } from './api';
import { newId, World, type WorldOptions } from './world';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** Kept as build output. */
const SCREENSHOTS = join(__dirname, '..', '..', '.cache', 'screenshots');
export const ELSEWHERE = 'console.example';
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export const KEYS: Record<Role, string> = { operate: 'operators-key', read: 'a-readers-key' };

/** Debian's browser, with the flags of a machine without a screen. */
export async function launch(): Promise<Browser> {
  const { TEST_CHROMIUM: executablePath } = process.env;
  if (!executablePath)
    throw new Error('No Chromium was found, and none could be installed: install chromium, then run the tests again');
  // A name beyond loopback: there, browsers tell less of where a form comes from.
  return chromium.launch({ executablePath, args: [...FLAGS, `--host-resolver-rules=MAP ${ELSEWHERE} 127.0.0.1`] });
}

/** The whole line up to a browser: the console over a world. */
export class Console {
  private constructor(
    readonly world: World,
    private server: ApiServer,
    private readonly port: number,
  ) {}

  static async start(options: WorldOptions = {}): Promise<Console> {
    const world = await World.start(options);
    const server = await serve(world, 0);
    return new Console(world, server, Number(new URL(server.url).port));
  }

  get url() {
    return this.server.url;
  }

  /** As after a kill. */
  stopServer = () => this.server.close();
  async startServer(): Promise<void> {
    this.server = await serve(this.world, this.port);
  }

  async close(): Promise<void> {
    await this.server.close();
    await this.world.close();
  }

  /** Somebody at a screen of their own, logged in. */
  async enter(browser: Browser, who: string, settings: BrowserContextOptions & { role?: Role } = {}): Promise<Page> {
    const { role = 'operate', ...options } = settings;
    const context = await browser.newContext({ baseURL: this.url, viewport: { width: 1100, height: 900 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    await page.goto('/');
    await page.getByLabel('Your name').fill(who);
    await page.getByLabel('Key').fill(KEYS[role]);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'Onboards' }).waitFor();
    return page;
  }

  /** An onboard that waits for its operator. */
  async waiting(label?: string): Promise<string> {
    const invitation_id = newId();
    await this.world.onboards.onboard({ invitation_id, label }, 20_000);
    return invitation_id;
  }
}

function serve(world: World, port: number): Promise<ApiServer> {
  const key = (name: string, role: Role) => ({ name, role, hash: hashOf(KEYS[role]) });
  return startServer(
    {
      publicUrl: `http://${ELSEWHERE}`,
      onboards: world.onboards,
      completedStatus: 'completed',
      keys: new Keys([key('console', 'operate'), key('screen', 'read')]),
      sessionsFolder: sessionsOf(world),
      neighbours: () => ({ webPage: 'http://127.0.0.1:8233', emulator: new EmulatorControl(world.emulator.url) }),
    },
    { host: '127.0.0.1', port },
  );
}

/** What axe-core finds wrong with the page as it is now. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const found = await page.evaluate<{ id: string; nodes: { html: string }[] }[]>(
    'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => ({ html })) })))',
  );
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

export const screenshot = (page: Page, name: string) =>
  page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });

export const open = (page: Page, id: string) => page.goto(`/console/onboards/${id}`);
export const act = (page: Page, title: string) => page.locator('details.act', { hasText: title });

export async function does(page: Page, title: string, why?: string): Promise<void> {
  const form = act(page, title);
  await form.locator('summary').click();
  if (why) await form.getByLabel('Why').fill(why);
  await form.getByRole('button').click();
}

/** Opens them all: those that share a name would close each other. */
export const OPEN_ALL = "document.querySelectorAll('details').forEach((each) => { each.name = ''; each.open = true; })";

export const said = (page: Page) => page.locator('.said');
export const phase = (page: Page) => page.locator('.standing .phase');
export const timeline = (page: Page) => page.locator('.timeline');
export const shows = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor();
