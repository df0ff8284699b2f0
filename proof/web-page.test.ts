/** Temporal's own web page works in a browser as it is started here: it lists, shows and steers what there is. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { Browser } from 'playwright-core';
import { claimPort } from '../src/temporal/ports';
import { startTemporal, type TemporalServer } from '../src/temporal/dev-server';
import { openWebPage } from '../src/temporal/web-page';
import { launch } from '../test/support/console';

jest.setTimeout(120_000);

const ID = 'onboard-64b8f0f5e4b0c3a1d5e6f7a8';
let folder: string;
let temporal: TemporalServer;
let webPage: { close(): Promise<void> };
let url: string;
let connection: Connection;
let browser: Browser;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'onboards-web-page-'));
  const cli = process.env.TEST_TEMPORAL_CLI!;
  temporal = await startTemporal({ cli, env: process.env, logFile: join(folder, 'temporal.log'), port: 0 });
  const port = await claimPort(0, '', '');
  webPage = await openWebPage({ port, api: temporal.api, cli });
  url = `http://127.0.0.1:${port}`;
  connection = await Connection.connect({ address: temporal.address });
  browser = await launch();
});
afterAll(async () => {
  await browser.close();
  await connection.close();
  await webPage.close();
  await temporal.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("Temporal's web page lists, shows and steers what there is", async () => {
  const { workflow } = new Client({ connection });
  const run = await workflow.start('onboardBuyer', { taskQueue: 'none', workflowId: ID, args: [{ label: 'Acme' }] });
  const page = await browser.newPage();
  await page.goto(`${url}/namespaces/default/workflows`);
  await page.getByRole('link', { name: ID }).first().click();
  await page.getByText('"Acme"').waitFor();

  await page.getByRole('button', { name: 'More Actions' }).click();
  await page.getByRole('menuitem', { name: /Signal/ }).click();
  const form = page.getByRole('dialog');
  await form.getByRole('textbox').first().fill('note');
  await form.locator('[contenteditable=true]').fill('{"text":"by hand"}');
  await form.getByRole('button', { name: 'Submit' }).click();
  await page.getByText('Signaled').first().waitFor();
  const { events } = await run.fetchHistory();
  const [signal] = events!.flatMap((event) => event.workflowExecutionSignaledEventAttributes ?? []);
  expect(signal!.signalName).toBe('note');
  expect(JSON.parse(Buffer.from(signal!.input!.payloads![0]!.data!).toString())).toEqual({ text: 'by hand' });
});
