/** Commands that only show: the list, what `watch` tells, and what is known where no worker runs. */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Row } from '../../src/client';
import type { OnboardView } from '../../src/onboard/view';
import { Cli, ended, type Ended } from '../support/cli';
import { newId, World } from '../support/world';

let world: World;
let cli: Cli;
let withoutWorker: ReturnType<typeof strand>;
beforeAll(async () => {
  world = await World.start();
  cli = new Cli(world);
  withoutWorker = strand();
  withoutWorker.catch(() => undefined);
});
afterAll(async () => {
  await world.close();
  await (await withoutWorker).own.close();
});

const stateOf = ({ json }: Ended) => json() as OnboardView;
const matching = (words: RegExp): unknown => expect.stringMatching(words);
const someText: unknown = expect.any(String);
/** An error: its exit code, nothing on standard output, one line on standard error. */
const failing = (code: number, words: string | RegExp) => ({
  code,
  out: '',
  err: matching(typeof words === 'string' ? new RegExp(`^${words}\n$`) : words),
});
/** Until a process has said so. */
const says = (child: ChildProcess, words: string) =>
  new Promise<void>((resolve) => {
    let out = '';
    child.stdout?.on('data', (chunk) => {
      if ((out += String(chunk)).includes(words)) resolve();
    });
  });
/** An onboard that is there already: without the command line, which takes longer. */
const created = async () => {
  const invitation_id = newId();
  await world.onboards.start({ invitation_id });
  await world.onboards.whenCreated({ invitation_id }, 20_000);
  return invitation_id;
};

test('list shows the oldest first, filtered by status, phase, attention and age', async () => {
  const [old, refused] = [newId(), newId()];
  await world.start({ invitation_id: old, label: 'Acme' });
  await world.onboards.whenCreated({ invitation_id: old }, 20_000);
  await world.faults({ on: 'POST', when: 'before', do: 'status', status: 422, times: 1, invitation_id: refused });
  await world.start({ invitation_id: refused });
  await world.onboards.whenCreated({ invitation_id: refused }, 20_000);
  /** Those of this test. */
  const ours = (rows: Row[]) => rows.filter(({ invitation_id }) => [old, refused].includes(invitation_id));
  const rows = async (...filters: string[]) => ours((await cli.run('list', '--json', ...filters)).json() as Row[]);
  const isListed = async () => {
    const listed = ours(await world.onboards.lists.list());
    const [phases, since] = [listed.map(({ phase }) => phase), listed.map((row) => Date.parse(row.since))];
    return phases.join() === 'waiting,attention' && Math.max(...since) < Date.now() - 1_000;
  };
  while (!(await isListed())) await sleep(50);
  const [all, waiting, needy, forOther, table, none] = await Promise.all([
    rows(),
    rows('--phase', 'waiting', '--status', 'created'),
    rows('--attention'),
    rows('--attention', 'duplicate'),
    cli.run('list'),
    cli.run('list', '--older-than', '1d'),
  ]);
  expect(all).toEqual([
    {
      invitation_id: old,
      onboard_id: matching(/^[0-9a-f]{24}$/),
      label: 'Acme',
      flow_id: null,
      status: 'created',
      phase: 'waiting',
      since: someText,
      attention_code: null,
    },
    expect.objectContaining({ invitation_id: refused, onboard_id: null, attention_code: 'refused' }),
  ]);
  const ids = (found: Row[]) => found.map(({ invitation_id }) => invitation_id);
  expect([waiting, needy, forOther].map(ids)).toEqual([[old], [refused], []]);
  expect(table.out).toMatch(/^FOR +STATUS .*\n/);
  expect(table.out).toMatch(
    new RegExp(`second.* created +waiting +- +${old} +\\w+ +Acme\n.* attention +refused +${refused} `),
  );
  expect(none).toMatchObject({ code: 0, out: matching(/^No onboard matches/) });
});

test('list filters what an onboard is now, not what an earlier run of it was', async () => {
  const id = await created();
  await world.onboards.get(id).send({ name: 'cancel' });
  await world.start({ invitation_id: id });
  await world.onboards.whenCreated({ invitation_id: id }, 20_000);
  await world.onboards.get(id).send({ name: 'advance', to: 'in_progress' });
  const listed = async (status: string) =>
    (await world.onboards.lists.list({ status })).some(({ invitation_id }) => invitation_id === id);
  while (!(await listed('in_progress'))) await sleep(50);
  expect(await listed('created')).toBe(false);
});

test('an empty list says how to start one', async () => {
  const empty = new Cli(world, { ONBOARDS_TASK_QUEUE: newId() });
  const list = await empty.run('list');
  expect(list.out).toBe('No onboards yet. To start one: npm run -s onboards -- start <invitation_id>\n');
  expect(list.err).toBe(
    'This Temporal server does not say yet whose onboards it holds: the first worker on it will.\n',
  );
  expect((await empty.run('list', '--json')).json()).toEqual([]);
});

describe('watch', () => {
  test('tells each change as a line of JSON and ends when the onboard ends', async () => {
    const id = await created();
    const watching = cli.start('watch', id, '--json');
    const end = ended(watching);
    const moved = says(watching, '"status":"in_progress"');
    await says(watching, '"status":"created"');
    await world.onboards.get(id).send({ name: 'advance', to: 'in_progress' });
    await moved;
    await world.onboards.get(id).send({ name: 'advance', to: 'completed' });
    const { code, out, err } = await end;
    expect([code, err]).toEqual([0, '']);
    const states = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as OnboardView);
    expect(states.map(({ status }) => status).filter((status, i, all) => status !== all[i - 1])).toEqual([
      'created',
      'in_progress',
      'completed',
    ]);
    expect(states.at(-1)?.phase).toBe('done');
    const timeless = states.map((state) => JSON.stringify({ ...state, as_of: '' }));
    expect(new Set(timeless).size).toBe(timeless.length);
  });

  test('tells people what happened; Ctrl-C ends it with 130, a reader that has had enough without a word', async () => {
    const id = await created();
    const [interrupted, deaf] = [cli.start('watch', id), cli.start('watch', id)];
    deaf.stdout?.once('data', () => deaf.stdout?.destroy());
    const ends = [ended(interrupted), ended(deaf)];
    const noted = says(interrupted, 'note: called them\n');
    await Promise.all(
      [interrupted, deaf].map((child) => new Promise((resolve) => child.stdout?.once('data', resolve))),
    );
    await world.onboards.get(id).send({ name: 'note', text: 'called\nthem', by: 'ann' });
    await noted;
    interrupted.kill('SIGINT');
    const [first, second] = await Promise.all(ends);
    expect(first).toMatchObject({ code: 130, err: '' });
    expect(first?.out).toMatch(/created, waiting\. Waits for an operator: .*\n.* {2}ann {2}note: called them\n$/);
    expect(second).toMatchObject({ code: 0, err: '' });
  });
});

test('with no worker, show and list tell the last known; a note is kept; what needs an answer fails and says so', async () => {
  const { own, list, json, text, noted, advanced, started } = await withoutWorker;
  expect(json).toMatchObject({ code: 0, err: '' });
  expect(stateOf(json)).toMatchObject({ stale: true, status: 'created', phase: 'waiting', label: 'Acme' });
  expect(text).toMatchObject({ code: 0, err: '', out: matching(/^It waits for a worker: none is running\./) });
  expect(list.json()).toMatchObject([{ invitation_id: own.invitation, status: 'created' }]);
  expect(noted).toMatchObject({ code: 0, err: '' });
  expect(advanced).toMatchObject(
    failing(
      1,
      /^No worker answered within 10 s: .* with the key \S+, it takes effect only once\. \(LeadConduit: \S+\)\n$/,
    ),
  );
  expect(started).toMatchObject({ code: 6, err: '' });
  expect(started.out).toMatch(/^Accepted\. It goes on when a worker runs\./);
  await own.startWorker();
  const { timeline } = await own.until('noted', (state) => state.timeline.some(({ event }) => event === 'note'));
  expect(timeline.filter(({ event }) => event === 'note')).toMatchObject([{ detail: 'for later' }]);
});

/** Begun first and looked at last: most of it is waiting for answers that do not come. */
async function strand() {
  const own = await World.start();
  const mine = new Cli(own);
  const id = own.invitation;
  await own.create({ label: 'Acme' });
  await own.stopWorker();
  const list = await mine.run('list', '--json');
  const [json, text, noted, advanced, started] = await Promise.all([
    mine.run('show', id, '--json'),
    mine.run('show', id),
    mine.run('note', id, 'for later'),
    mine.run('advance', id, '--to', 'in_progress'),
    mine.run('start', newId(), '--wait', '1s'),
  ]);
  return { own, list, json, text, noted, advanced, started };
}
