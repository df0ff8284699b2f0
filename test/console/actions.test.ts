/** What operators do in the console: with the mouse, with the keyboard alone, and on the emulator. */
import type { Browser } from 'playwright-core';
import { COMPLETING, SELLER } from '../../src/onboard/words';
import { eventually } from '../support/api';
import {
  act,
  Console,
  does,
  KEYS,
  launch,
  open,
  OPEN_ALL,
  phase,
  said,
  screenshot,
  shows,
  timeline,
  violations,
} from '../support/console';
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
  await Promise.all(browser.contexts().map((context) => context.close()));
  await site.world.mend();
  await site.world.emulate({ hide_created: false });
});

describe('every action', () => {
  test('completes by clicking: asks once more, says what it sets off, and what the seller has to do', async () => {
    const page = await site.enter(browser, 'ann');
    const id = newId();
    await page.getByText('Start an onboard').click();
    await page.getByLabel('Invitation id').fill(id.toUpperCase());
    await page.getByLabel(/Label/).fill('Acme Solar');
    await page.getByRole('button', { name: 'Start it' }).click();
    await page.getByRole('heading', { name: 'Acme Solar' }).waitFor();
    await timeline(page).getByText('created in LeadConduit').waitFor();
    expect(await timeline(page).textContent()).toContain('ann (via console) started');

    await does(page, 'Move on to in_progress', 'the flow is known');
    await page.locator('.lifecycle [aria-current]', { hasText: 'in_progress' }).waitFor();
    expect(await timeline(page).textContent()).toMatch(
      /ann \(via console\) asked to advance: in_progressthe flow is known/,
    );

    await does(page, 'Complete …', 'contract signed');
    await shows(page, COMPLETING);
    expect(await site.world.effects(id)).toMatchObject({ completes: 0 });
    await screenshot(page, 'complete');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('link', { name: 'Go back' }).click();
    await does(page, 'Complete …', 'contract signed');
    await page.getByRole('button', { name: 'Complete it' }).click();
    await page.locator('.lifecycle [aria-current]', { hasText: 'completed' }).waitFor();
    await shows(page, SELLER);
    await page.locator('.phase.done').waitFor();
    expect(await page.locator('details.act').count()).toBe(0);
    expect(await site.world.effects(id)).toEqual({ posts: 1, creates: 1, puts: 2, completes: 1, emails: 1 });
    await screenshot(page, 'completed');
  });

  test('holds, releases, notes and cancels, each with who and why', async () => {
    const page = await site.enter(browser, 'ann');
    await open(page, await site.waiting());
    await does(page, 'Hold', 'the buyer is away');
    await said(page).getByText('nothing is sent until it is released').waitFor();
    await phase(page).getByText('held').waitFor();
    await does(page, 'Release', 'is back');
    await phase(page).getByText('waiting').waitFor();
    await act(page, 'Note').locator('summary').click();
    await page.getByLabel('Text').fill('called the buyer');
    await act(page, 'Note').getByLabel('Who').fill('bob');
    await act(page, 'Note').getByRole('button').click();
    await timeline(page).getByText('note: called the buyer').waitFor();
    await does(page, 'Cancel', 'another one is meant');
    await phase(page).getByText('cancelled').waitFor();
    const lines = await timeline(page).textContent();
    for (const line of [
      'heldthe buyer is away',
      'releasedis back',
      'bob (via console) note',
      'asked to cancelanother one',
    ])
      expect(lines).toContain(line);
  });

  test('retries and adopts what needs attention', async () => {
    const page = await site.enter(browser, 'ann');
    for (const title of ['Retry', 'Adopt']) {
      const invitation_id = newId();
      await site.world.faults({ on: 'POST', when: 'before', do: 'status', status: 422, invitation_id });
      await site.world.onboards.onboard({ invitation_id }, 20_000);
      await open(page, invitation_id);
      await shows(page, 'Needs attention: refused');
      if (title === 'Adopt') await site.world.elsewhere({ invitation_id });
      await screenshot(page, 'attention');
      await does(page, title, 'mended there');
      await page.locator('.lifecycle [aria-current]', { hasText: 'created' }).waitFor();
      // The POST that was refused, and one of ours or of somebody else's.
      expect(await site.world.effects(invitation_id)).toMatchObject({ posts: 2, creates: 1 });
    }
  });

  test('a retry that would complete asks once more, too', async () => {
    const page = await site.enter(browser, 'ann');
    const id = await site.waiting();
    await site.world.onboards.get(id).send({ name: 'advance', to: 'in_progress' });
    await eventually(async () => (await site.world.onboards.get(id).state()).status === 'in_progress');
    await site.world.faults({ on: 'PUT', when: 'before', do: 'reset', invitation_id: id });
    await site.world.onboards.get(id).send({ name: 'advance', to: 'completed' });
    await open(page, id);
    await shows(page, 'Needs attention: unknown_outcome');
    await does(page, 'Retry', 'it is not there');
    await shows(page, COMPLETING);
    expect(await site.world.effects(id)).toMatchObject({ puts: 2, completes: 0 });
    await page.getByRole('button', { name: 'Complete it' }).click();
    await page.locator('.phase.done').waitFor();
    expect(await timeline(page).textContent()).toContain('it is not there');
    expect(await site.world.effects(id)).toMatchObject({ puts: 3, completes: 1, emails: 1 });
  });

  test('one that is refused says why, and nothing is changed', async () => {
    const [ann, bob] = [
      await site.enter(browser, 'ann', { javaScriptEnabled: false }),
      await site.enter(browser, 'bob'),
    ];
    const id = await site.waiting();
    await open(ann, id);
    await open(bob, id);
    await does(bob, 'Hold');
    await phase(bob).getByText('held').waitFor();
    await does(ann, 'Hold');
    await ann.getByRole('alert').getByText('hold refused: it is held already').waitFor();
  });
});

test('a start for another flow than the onboard that is there has is refused in words', async () => {
  const page = await site.enter(browser, 'ann', { javaScriptEnabled: false });
  const [invitation_id, flow_id] = [newId(), newId()];
  await site.world.onboards.onboard({ invitation_id, flow_id }, 20_000);
  await page.getByText('Start an onboard').click();
  await page.getByLabel('Invitation id').fill(invitation_id);
  await page.getByLabel('Flow id').fill(newId());
  await page.getByRole('button', { name: 'Start it' }).click();
  await page.getByRole('alert').getByText(`is for flow ${flow_id}, not`).waitFor();
});

test('the same form filled in otherwise is another message', async () => {
  const page = await site.enter(browser, 'ann', { javaScriptEnabled: false });
  const id = await site.waiting();
  await open(page, id);
  for (const text of ['first', 'second']) {
    await act(page, 'Note').locator('summary').click();
    await page.getByLabel('Text').fill(text);
    await act(page, 'Note').getByRole('button').click();
    await said(page).getByText('Noted.').waitFor();
    await page.goBack();
  }
  const { timeline: lines } = await site.world.onboards.get(id).state();
  expect(lines.flatMap(({ event, detail }) => (event === 'note' ? [detail] : []))).toEqual(['first', 'second']);
});

describe('for everybody', () => {
  test('axe-core finds nothing wrong, in light and dark, and a phone needs no sideways scrolling', async () => {
    const id = await site.waiting('A label that is rather long for the little width that a phone has');
    const attention = newId();
    await site.world.faults({ on: 'POST', when: 'before', do: 'status', status: 422, invitation_id: attention });
    await site.world.onboards.onboard({ invitation_id: attention }, 20_000);
    for (const [colorScheme, width] of [
      ['light', 1100],
      ['dark', 360],
    ] as const) {
      const page = await site.enter(browser, 'ann', { colorScheme, viewport: { width, height: 800 } });
      for (const [name, path] of [
        ['list', '/'],
        ['onboard', `/console/onboards/${id}`],
        ['attention', `/console/onboards/${attention}`],
        ['login', '/login'],
        ['none', '/console/onboards/000000000000000000000000'],
      ] as const) {
        await page.goto(path);
        await page.evaluate(OPEN_ALL);
        expect([name, colorScheme, width, await violations(page)]).toEqual([name, colorScheme, width, []]);
        await screenshot(page, `${name}-${colorScheme}-${width}`);
        expect([name, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([name, width]);
      }
      await page.context().close();
    }
  });

  test('the keyboard alone is enough', async () => {
    const page = await (await browser.newContext({ baseURL: site.url })).newPage();
    const id = await site.waiting();
    await open(page, id);
    const focused = () =>
      page.evaluate<string>("document.activeElement.textContent + '|' + (document.activeElement.name ?? '')");
    const tabTo = async (is: RegExp) => {
      for (let tabs = 0; !is.test(await focused()); tabs += 1) {
        if (tabs > 40) throw new Error(`${String(is)} cannot be reached`);
        await page.keyboard.press('Tab');
      }
    };
    const does = async (title: RegExp, why: string) => {
      await tabTo(title);
      await page.keyboard.press('Enter');
      await tabTo(/\|reason$/);
      await page.keyboard.type(why);
      // The page that is there may show what came of it before the next one takes its place.
      await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
    };
    await tabTo(/\|who$/);
    await page.keyboard.type('ann');
    await tabTo(/\|key$/);
    await page.keyboard.type(KEYS.operate);
    await page.keyboard.press('Enter');
    await page.locator('.standing').waitFor();
    await does(/^Hold/, 'by keyboard');
    await phase(page).getByText('held').waitFor();
    expect(await timeline(page).textContent()).toContain('heldby keyboard');
    await does(/^Release/, 'no longer');
    await phase(page).getByText('waiting').waitFor();
    await does(/^Complete/, 'signed');
    await tabTo(/^Complete it/);
    await page.keyboard.press('Enter');
    await page.locator('.phase.done').waitFor();
    expect(await site.world.effects(id)).toMatchObject({ completes: 1, emails: 1 });
  });
});

test('where LeadConduit is the emulator, anybody can try to break it and watch both ledgers', async () => {
  const page = await site.enter(browser, 'ann');
  const id = await site.waiting();
  await open(page, id);
  await page.getByRole('button', { name: 'Lose the next answer' }).click();
  await said(page).getByText('The next answer will be lost').waitFor();
  await does(page, 'Move on to in_progress');
  await timeline(page).getByText('outcome unknown').waitFor();
  await page.locator('.lifecycle [aria-current]', { hasText: 'in_progress' }).waitFor();
  await page.getByRole('row', { name: 'PUT calls that named it 1' }).waitFor();
  expect(await site.world.effects(id)).toMatchObject({ creates: 1, puts: 1 });
  await page.getByRole('button', { name: 'Hide the created onboards from the list' }).click();
  await does(page, 'Complete …');
  await page.getByRole('button', { name: 'Complete it' }).click();
  await timeline(page).getByText('does not show').first().waitFor();
  expect(await site.world.effects(id)).toMatchObject({ completes: 0 });
  await page.getByRole('button', { name: /Show the created onboards/ }).click();
  await page.getByRole('button', { name: 'Hide the created onboards from the list' }).waitFor();
  // After several looks that did not show it, the next one may take a minute.
  await page.locator('.lifecycle [aria-current]', { hasText: 'completed' }).waitFor({ timeout: 90_000 });
  expect(await site.world.effects(id)).toMatchObject({ creates: 1, puts: 2, completes: 1 });
  expect(await page.getByRole('link', { name: "its run on Temporal's web page" }).getAttribute('href')).toBe(
    `http://127.0.0.1:8233/namespaces/default/workflows/onboard-${id}`,
  );
}, 150_000);

test('while the emulator is down nothing is lost, and it goes on when it is up again', async () => {
  const page = await site.enter(browser, 'ann');
  const id = await site.waiting();
  await open(page, id);
  await page.getByRole('button', { name: 'Go down for 30 s' }).click();
  await said(page).getByText('The emulator is down for 30 s').waitFor();
  await page.getByText('The emulator does not answer: it is down.').waitFor();
  await does(page, 'Move on to in_progress');
  await timeline(page).getByText('not sent').first().waitFor();
  await page.locator('.lifecycle [aria-current]', { hasText: 'in_progress' }).waitFor({ timeout: 90_000 });
  expect(await site.world.effects(id)).toMatchObject({ creates: 1, puts: 1 });
}, 120_000);
