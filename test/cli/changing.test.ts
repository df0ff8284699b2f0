/** Commands that change something, as people and scripts meet them: processes of their own, on a real line. */
import { userInfo } from 'node:os';
import type { OnboardView } from '../../src/onboard/view';
import { Cli, type Ended } from '../support/cli';
import { newId, World } from '../support/world';

let world: World;
let cli: Cli;
beforeAll(async () => {
  world = await World.start();
  cli = new Cli(world);
});
afterAll(() => world.close());

const stateOf = ({ json }: Ended) => json() as OnboardView;
const matching = (words: RegExp): unknown => expect.stringMatching(words);
const someText: unknown = expect.any(String);
/** An error: its exit code, nothing on standard output, one line on standard error. */
const failing = (code: number, words: string | RegExp) => ({
  code,
  out: '',
  err: matching(typeof words === 'string' ? new RegExp(`^${words}\n$`) : words),
});
/** An onboard that is there already: without the command line, which takes longer. */
const created = async () => {
  const invitation_id = newId();
  await world.onboards.start({ invitation_id });
  await world.onboards.whenCreated({ invitation_id }, 20_000);
  return invitation_id;
};

test('an onboard goes from its start to completed in plain words, and show tells its story', async () => {
  const id = newId();
  const started = await cli.run('start', id.toUpperCase(), '--label', 'Acme Solar');
  expect(started).toMatchObject({ code: 0, err: '' });
  expect(started.out).toMatch(/^Created\.\n/);
  expect(started.out).toContain(`npm run -s onboards -- advance ${id} --to in_progress`);
  expect(started.out).not.toContain('\x1b');

  const moved = await cli.run('advance', id, '--to', 'in_progress', '--by', 'ann', '--reason', 'the flow is known');
  expect(moved).toMatchObject({ code: 0, err: '', out: matching(/^It has reached in_progress\.\n/) });
  const { record } = await world.onboards.get(id).state();
  const completed = await cli.run('advance', record?.id.toUpperCase() ?? '', '--to', 'completed');
  expect(completed).toMatchObject({ code: 0, err: '', out: matching(/^It has reached completed\.\n/) });
  expect(completed.out).toContain('The seller still has to switch the buyer step on');

  const { out, code } = await cli.run('show', id.toUpperCase());
  expect(code).toBe(0);
  const story = out.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'TIME');
  expect(story).toMatch(/Invitation +\w+\nLabel +Acme Solar\nOnboard +\w+\nStatus +completed\nPhase +done, for /);
  expect(story).toMatch(/Sent to LeadConduit\n {2}1 {2}TIME {2}create +landed\n {2}2 {2}TIME {2}move to/);
  expect(story).toMatch(/TIME {2}ann +asked to advance: in_progress \(the flow is known\)\n/);
  expect(story).toMatch(new RegExp(`TIME {2}${userInfo().username} +asked to advance: completed\n`));
  expect(story).toContain('The seller still has to switch the buyer step on');
});

test('with --json every command prints one JSON value and nothing else', async () => {
  const id = newId();
  const run = async (...args: string[]) => {
    const done = await cli.run(...args, '--json');
    expect(done).toMatchObject({ code: 0, err: '' });
    return done.json() as OnboardView;
  };
  const started = await run('start', id, '--by', 'ann', '--reason', 'accepted');
  expect(started).toMatchObject({ invitation_id: id, status: 'created', phase: 'waiting' });
  expect(started.timeline[0]).toMatchObject({ event: 'started', by: 'ann', reason: 'accepted' });
  expect(await run('hold', id, '--by', 'bob', '--reason', 'call first')).toMatchObject({ phase: 'held', held: true });
  expect(await run('release', id)).toMatchObject({ phase: 'waiting', held: false });
  const noted = await run('note', id, 'the seller', 'called', '--by', 'cy');
  expect(noted.timeline.at(-1)).toMatchObject({ event: 'note', by: 'cy', detail: 'the seller called' });
  const flow = newId();
  const moved = await run('advance', id, '--to', 'in_progress', '--flow-id', flow, '--key', 'k1');
  expect(moved).toMatchObject({ status: 'in_progress', requested_flow_id: flow });
  expect(await run('show', id)).toMatchObject({ ...moved, as_of: someText });
  expect(await run('cancel', id)).toMatchObject({ phase: 'cancelled' });
});

test('started ten times at once by separate processes in mixed case: one workflow, one create', async () => {
  const id = newId();
  const asked = Array.from({ length: 10 }, (_, i) => (i % 2 ? id.toUpperCase() : id));
  const all = await Promise.all(asked.map((one) => cli.run('start', one, '--json')));
  expect(all.map(({ code, err }) => [code, err])).toEqual(Array(10).fill([0, '']));
  expect(new Set(all.map((each) => stateOf(each).record?.id)).size).toBe(1);
  expect(await world.effects(id)).toMatchObject({ posts: 1, creates: 1 });
});

describe('start of several', () => {
  test('takes the ids from standard input too, and answers in their order', async () => {
    const ids = [newId(), newId(), newId()];
    const read = await cli.runWith(`${ids.join('\n')}\n`, 'start', '--json');
    expect(read).toMatchObject({ code: 0, err: '' });
    expect((read.json() as OnboardView[]).map(({ invitation_id }) => invitation_id)).toEqual(ids);
    const table = await cli.runWith(ids.join(' '), 'start', '-');
    expect(
      table.out
        .split('\n')
        .slice(1, 4)
        .map((line) => line.split(/ {2,}/)[4]),
    ).toEqual(ids);
    const one = await cli.runWith(ids[0] ?? '', 'start', '--json');
    expect(stateOf(one).invitation_id).toBe(ids[0]);
  });

  test('names all bad ids at once and sends nothing', async () => {
    const id = newId();
    const { code, out, err } = await cli.run('start', 'nonsense', id, '64b8');
    expect([code, out]).toEqual([2, '']);
    expect(err).toBe('Not an id (24 hexadecimal digits): "nonsense", "64b8". Nothing was sent.\n');
    expect(await world.effects(id)).toMatchObject({ posts: 0 });
  });

  test('goes on with the others where one is in conflict, and its exit code is the worst', async () => {
    const [conflict, fine] = [await created(), newId()];
    const done = await cli.run('start', conflict, fine, '--flow-id', newId(), '--json');
    expect(done.code).toBe(4);
    expect(done.err).toMatch(new RegExp(`^conflict: the onboard of invitation ${conflict} .*\n$`));
    expect(done.json()).toMatchObject([{ invitation_id: fine, status: 'created' }]);
  });
});

describe('exit codes', () => {
  test('5 and 0: refused upstream, an onboard needs attention, and is resolved', async () => {
    const id = newId();
    await world.faults({ on: 'POST', when: 'before', do: 'status', status: 422, times: 2, invitation_id: id });
    const started = await cli.run('start', id);
    expect(started).toMatchObject({
      code: 5,
      err: '',
      out: matching(/^Accepted\. It needs attention now/),
    });
    const [, first] = new RegExp(`resolve ${id} --action retry --attention (a1-\\w+)`).exec(started.out) ?? [];
    const again = await cli.run('resolve', id, '--action', 'retry', '--json');
    const second = stateOf(again).attention?.id;
    expect([again.code, second]).toEqual([5, matching(/^a2-/)]);
    const stale = await cli.run('resolve', id, '--action', 'retry', '--attention', String(first));
    expect(stale).toMatchObject(failing(4, /^resolve refused: stale: .*\n$/));
    const resolved = await cli.run('resolve', id, '--action', 'retry', '--attention', String(second), '--by', 'ann');
    expect(resolved).toMatchObject({ code: 0, err: '', out: matching(/^Resolved\.\n/) });
    expect(await cli.run('resolve', id, '--action', 'retry')).toMatchObject(
      failing(4, 'resolve refused: it needs no attention: there is nothing to resolve'),
    );
    expect(await world.effects(id)).toMatchObject({ creates: 1 });
  });

  test('5, then 0: of two onboards upstream one is adopted by its id', async () => {
    const id = newId();
    const call = () => world.call('POST', '/onboards', { invitation_id: id });
    const [first] = [await call(), await call()] as { id: string }[];
    expect((await cli.run('start', id)).code).toBe(5);
    const blind = await cli.run('resolve', id, '--action', 'adopt');
    expect(blind).toMatchObject(failing(4, /name the onboard to keep/));
    const adopted = await cli.run('resolve', id, '--action', 'adopt', '--onboard-id', first?.id ?? '', '--json');
    expect(adopted.code).toBe(0);
    expect(stateOf(adopted)).toMatchObject({ status: 'created', record: { id: first?.id } });
  });

  test('6: still under way when the wait ends; a cancel waits for the call that is out', async () => {
    const id = newId();
    await world.faults({ on: 'POST', when: 'before', do: 'slow', ms: 900, times: 1, invitation_id: id });
    const started = await cli.run('start', id, '--wait', '0', '--json');
    expect([started.code, stateOf(started).status]).toEqual([6, null]);
    const cancelled = await cli.run('cancel', id, '--json');
    expect([cancelled.code, stateOf(cancelled).phase]).toEqual([0, 'cancelled']);
  });

  test('6 at once: a held onboard waits for a person; 0 when it is cancelled', async () => {
    const id = await created();
    await world.onboards.get(id).send({ name: 'hold' });
    const done = await cli.run('advance', id, '--to', 'in_progress', '--wait', '1h');
    expect(done).toMatchObject({ code: 6, out: matching(/^Accepted\. It is held: /) });
    expect(await cli.run('cancel', id)).toMatchObject({ code: 0, out: matching(/^Cancelled\./) });
  });

  test('4: a transition that is not possible, a flow in conflict; the same flow again is none', async () => {
    const [cancelled, held, flow] = [await created(), await created(), newId()];
    await world.onboards.get(cancelled).send({ name: 'cancel' });
    await world.onboards.get(held).send({ name: 'hold' });
    const known = newId();
    const [gone, twice, conflict, first] = await Promise.all([
      cli.run('advance', cancelled, '--to', 'completed'),
      cli.run('hold', held, '--json'),
      cli.run('start', held, '--flow-id', flow),
      cli.run('start', known, '--flow-id', flow.toUpperCase()),
    ]);
    expect(gone).toMatchObject(failing(4, 'advance refused: the onboard is not followed any more'));
    expect(twice).toMatchObject(failing(4, 'hold refused: it is held already'));
    expect(conflict).toMatchObject(failing(4, /^conflict: .* was started without a flow; .*\n$/));
    expect(first.code).toBe(0);
    expect((await cli.run('start', known.toUpperCase(), '--flow-id', flow)).code).toBe(0);
  });

  test('3: an onboard that is not known here', async () => {
    const unknown = newId();
    const [shown, advanced] = await Promise.all([
      cli.run('show', unknown, '--json'),
      cli.run('advance', unknown, '--to', 'completed'),
    ]);
    for (const each of [shown, advanced])
      expect(each).toMatchObject(failing(3, `No onboard is known here for ${unknown}: .*`));
  });

  test('1 and 2: Temporal out of reach, settings that are wrong', async () => {
    const at = (env: Record<string, string>) => new Cli(world, env).run('list', '--json');
    const [away, wrong] = await Promise.all([
      at({ TEMPORAL_ADDRESS: '127.0.0.1:9' }),
      at({ ONBOARDS_SETTLE: 'soon', PORT: 'x' }),
    ]);
    expect(away).toMatchObject(failing(1, /^Temporal at 127\.0\.0\.1:9 cannot be reached .*npm start.*\n$/));
    expect(wrong).toMatchObject(failing(2, /^Wrong settings: ONBOARDS_SETTLE .*; PORT .*\n$/));
  });
});

describe('wrong usage is told in one line, with exit code 2, before anything is sent', () => {
  const ID = '64b8f0f5e4b0c3a1d5e6f7a8';
  const mistakes: [string[], RegExp][] = [
    [['shwo'], /^unknown command 'shwo' \(Did you mean show\?\) See: .* --help$/],
    [['show', ID, '--jsn'], /^unknown option '--jsn' \(Did you mean --json\?\) See: .* show --help$/],
    [['show'], /^missing required argument 'id'/],
    [['show', ID, ID], /^too many arguments/],
    [['show', `${ID}0`], /^Not an id \(24 hexadecimal digits\): "64b8f0f5e4b0c3a1d5e6f7a80"\.$/],
    [['show', 'a\x1b[31m'], /^Not an id .*"a\\u001b\[31m"/],
    [['advance', ID], /^required option '--to <status>' not specified/],
    [['advance', ID, '--to', 'created'], /Allowed choices are in_progress, completed/],
    [['advance', ID, '--to', 'completed', '--flow-id', 'x'], /^Not an id/],
    [['resolve', ID, '--action', 'ignore'], /Allowed choices are retry, adopt/],
    [['start', ID, '--wait', '30'], /^--wait "30" is not a duration such as 500ms, 90s, 5m or 2d$/],
    [['start', ID, '--wait', '30d'], /^--wait can be 1d at most$/],
    [['start', ID, '--label', ' '], /^--label is empty$/],
    [['start'], /^No invitation id is given/],
    [['hold', ID, '--key', 'k'.repeat(201)], /^--key is longer than 200 characters$/],
    [['note', ID, ''], /^The note is empty$/],
    [['list', '--phase', 'lost'], /Allowed choices are done, cancelled, attention, /],
    [['list', '--attention', 'lost'], /Allowed choices are refused, credentials, /],
    [['list', '--older-than', '3 weeks'], /^--older-than "3 weeks" is not a duration/],
  ];
  // Nothing listens there: who asked Temporal would fail with exit code 1.
  const offline = () => new Cli(world, { TEMPORAL_ADDRESS: '127.0.0.1:9' });

  test.each(mistakes)('%j', async (args, words) => {
    const { code, out, err } = await offline().run(...args);
    expect({ code, out, lines: err.split('\n').length }).toEqual({ code: 2, out: '', lines: 2 });
    expect(err.trimEnd()).toMatch(words);
  });

  test('help needs no Temporal: exit code 0 when asked for, 2 and on standard error when not', async () => {
    const [asked, start, none] = await Promise.all([
      offline().run('--help'),
      offline().run('help', 'start'),
      offline().run(),
    ]);
    expect(asked).toMatchObject({ code: 0, err: '', out: matching(/Exit codes:\n {2}0 {2}done/) });
    expect(start).toMatchObject({ code: 0, err: '', out: matching(/--flow-id <id>/) });
    expect(start.out.replace(/\s+/g, ' ')).toContain('the invitation id already makes a start safe to repeat');
    expect(none).toMatchObject({ code: 2, out: '', err: asked.out });
  });
});

test('a key makes a message safe to repeat; without one each is another', async () => {
  const id = await created();
  const hold = () => cli.run('hold', id, '--key', 'k1');
  expect([await hold(), await hold()].map(({ code }) => code)).toEqual([0, 0]);
  for (const command of ['release', 'hold', 'release']) expect((await cli.run(command, id)).code).toBe(0);
  const events = (await world.onboards.get(id).state()).timeline.map(({ event }) => event);
  expect(events).toEqual(['started', 'created', 'held', 'released', 'held', 'released']);
});

describe('on a terminal', () => {
  test('completing says what it sets off and asks; only a yes sends it; --yes does not ask', async () => {
    const ids = [await created(), await created(), await created()];
    const [refused, agreed, unasked] = await Promise.all([
      cli.onTerminal('no\n', 'advance', ids[0] ?? '', '--to', 'completed'),
      cli.onTerminal('yes\n', 'advance', ids[1] ?? '', '--to', 'completed'),
      cli.onTerminal('', 'advance', ids[2] ?? '', '--to', 'completed', '--yes'),
    ]);
    expect(refused.code).toBe(4);
    expect(refused.out).toMatch(
      /e-mail the seller's users\. It cannot be undone\.[^]*\[yes\/no\][^]*Nothing was sent\./,
    );
    expect([agreed.code, unasked.code]).toEqual([0, 0]);
    expect(unasked.out).not.toContain('[yes/no]');
    const effects = await Promise.all(ids.map((id) => world.effects(id)));
    expect(effects.map(({ puts, completes }) => [puts, completes])).toEqual([
      [0, 0],
      [2, 1],
      [2, 1],
    ]);
  });
});
