/**
 * Histories of real runs replay with the workflow as it is now: a running onboard survives a deploy.
 * `npm run record-histories` records them anew; after the first version tag, old ones stay.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import { raiseDuplicate } from '../../src/onboard/raise-attention';
import { applyMessage } from '../../src/onboard/apply-message';
import { takeOver } from '../../src/onboard/carry-over';
import type { OnboardInput } from '../../src/onboard/input';
import type { OnboardState } from '../../src/onboard/state';
import { view } from '../../src/onboard/view';
import { continueAsNewServer } from '../support/continue-as-new-server';
import { payloadConverterPath, World } from '../support/world';

const FOLDER = join(__dirname, '..', 'histories');
const toDone = (world: World) => world.until('done', ({ phase }) => phase === 'done');
const phase = (world: World, wanted: string) => world.until(wanted, (state) => state.phase === wanted);

const SCENARIOS: Record<string, (world: World) => Promise<unknown>> = {
  async 'straight-to-completed'(world) {
    await world.create({ label: 'Acme' });
    await world.send({ name: 'advance', to: 'in_progress', by: 'ann' });
    await world.until('in_progress', ({ status }) => status === 'in_progress');
    await world.signal('advance', { to: 'completed', by: 'ann' });
    await toDone(world);
  },
  async 'lost-and-adopted'(world) {
    await world.faults({ on: 'POST', when: 'after', do: 'reset' }, { on: 'PUT', when: 'after', do: 'html', times: 2 });
    await world.create();
    await world.send({ name: 'advance', to: 'completed' });
    await toDone(world);
  },
  async 'lost-and-repeated'(world) {
    await world.faults({ on: 'POST', when: 'before', do: 'reset' }, { on: 'PUT', when: 'before', do: 'reset' });
    await world.create();
    await world.send({ name: 'advance', to: 'completed' });
    await toDone(world);
  },
  async 'completing-call-lost-and-ordered'(world) {
    await world.create();
    await world.send({ name: 'advance', to: 'in_progress' });
    await world.until('in_progress', ({ status }) => status === 'in_progress');
    await world.faults({ on: 'PUT', when: 'before', do: 'reset' });
    await world.send({ name: 'advance', to: 'completed' });
    await phase(world, 'attention');
    await world.send({ name: 'resolve', action: 'retry' });
    await toDone(world);
  },
  async 'backed-off-refused-and-retried'(world) {
    await world.faults(
      { on: 'GET', when: 'before', do: 'html', times: 2 },
      { on: 'POST', when: 'before', do: 'status', status: 429 },
      { on: 'POST', when: 'before', do: 'status', status: 401 },
      { on: 'POST', when: 'before', do: 'status', status: 422 },
    );
    await world.create();
    await world.until('refused', ({ attention }) => attention?.code === 'refused');
    await world.send({ name: 'resolve', action: 'retry' });
    await world.send({ name: 'advance', to: 'completed' });
    await toDone(world);
  },
  async 'duplicate-and-adopted'(world) {
    const keep = await world.elsewhere({});
    await world.elsewhere({});
    await world.create();
    await world.send({ name: 'resolve', action: 'adopt', onboard_id: keep.id });
    await phase(world, 'waiting');
  },
  async 'messages-of-all-kinds'(world) {
    await world.stopWorker();
    await world.start();
    for (const name of ['hold', 'release', 'hold', 'frobnicate', '__temporal_x'])
      await world.signal(name, { by: 'ann' }).catch(() => undefined);
    await world.startWorker();
    await phase(world, 'held');
    await world.send({ name: 'release', key: 'k' });
    await world.signal('note', { text: 'called', key: 'k2' });
    await world.signal('note', { text: 'called', key: 'k2' });
    await phase(world, 'waiting');
    await world.send({ name: 'cancel', by: 'ann' });
    await phase(world, 'cancelled');
  },
  async 'cancelled-by-temporal'(world) {
    await world.create();
    await world.run.cancel();
    await phase(world, 'cancelled');
  },
  async 'failed-after-completion'(world) {
    await world.create();
    await world.send({ name: 'advance', to: 'completed' });
    const { record } = await phase(world, 'confirming');
    await world.elsewhere({ ...record!, status: 'failed' });
    await phase(world, 'attention');
    await world.send({ name: 'resolve', action: 'adopt' });
    await toDone(world);
  },
  async 'held-while-it-looked'(world) {
    await world.create();
    await world.send({ name: 'advance', to: 'in_progress' });
    await world.until('in_progress', ({ status, phase: now }) => status === 'in_progress' && now === 'waiting');
    await world.faults({ on: 'GET', when: 'before', do: 'slow', ms: 700 });
    await world.send({ name: 'advance', to: 'completed' });
    await world.send({ name: 'hold' });
    await phase(world, 'held');
    await world.send({ name: 'release' });
    await toDone(world);
  },
  /** The last of its runs: what it carries on is in the history's first event. */
  async 'renewed-and-completed'(world) {
    await world.create();
    await world.send({ name: 'hold', by: 'ann', key: 'the-hold' });
    for (let n = 0; n < 100; n += 1) await world.signal('note', { text: `note ${n}` });
    await world.until('continued', ({ timeline }) => timeline.some(({ event }) => event === 'continued'));
    await world.send({ name: 'release' });
    await world.send({ name: 'advance', to: 'completed' });
    await toDone(world);
  },
};

if (process.env.RECORD_HISTORIES) {
  describe('recording', () => {
    beforeAll(() => {
      rmSync(FOLDER, { recursive: true, force: true });
      mkdirSync(FOLDER);
    });
    const server = continueAsNewServer(100);
    test.each(Object.entries(SCENARIOS))('%s', async (name, live) => {
      const { TEST_TEMPORAL_CLI: cli = '', TEST_TEMPORAL_ADDRESS: usual = '' } = process.env;
      const address = name.startsWith('renewed') ? server.address() : usual;
      const settings: Record<string, string> = name.startsWith('failed') ? { ONBOARDS_CONFIRM: '1s' } : {};
      const world = await World.start({ settings, address });
      await live(world);
      const show = ['workflow', 'show', '--workflow-id', world.workflowId, '--output', 'json'];
      const history = execFileSync(cli, [...show, '--address', address], { maxBuffer: 64 * 1024 * 1024 });
      // What runs where is nobody's business.
      const text = history.toString().replaceAll(`${process.pid}@${hostname()}`, 'worker@host');
      writeFileSync(join(FOLDER, `${name}.json`), `${JSON.stringify(JSON.parse(text))}\n`);
      await world.close();
    });
  });
}

test('there is a recorded history of every scenario', () => {
  expect(readdirSync(FOLDER).sort()).toEqual(
    Object.keys(SCENARIOS)
      .map((name) => `${name}.json`)
      .sort(),
  );
});

test.each(Object.keys(SCENARIOS))('replays: %s', async (name) => {
  const history: unknown = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8'));
  const workflowBundle = { codePath: process.env.TEST_WORKFLOW_BUNDLE ?? '' };
  await Worker.runReplayHistory(
    { workflowBundle, dataConverter: { payloadConverterPath } },
    history,
    workflowIdOf(history),
  );
});

test('what a run of an older version has carried lacks what has come since, and is gone on from', () => {
  const { events } = JSON.parse(readFileSync(join(FOLDER, 'renewed-and-completed.json'), 'utf8')) as {
    events: { workflowExecutionStartedEventAttributes: { input: { payloads: { data: string }[] } } }[];
  };
  const [{ data }] = events[0]!.workflowExecutionStartedEventAttributes.input.payloads as [{ data: string }];
  const input = JSON.parse(Buffer.from(data, 'base64').toString()) as OnboardInput & { carried: OnboardState };
  const now = Date.now();
  for (const field of ['offered', 'lacked', 'gone', 'weights', 'dropped', 'attentions'] as const) {
    const carried = { ...input.carried };
    Reflect.deleteProperty(carried, field);
    const onboard = takeOver(input, carried, 'a run', now);
    expect(view(onboard, now)).toMatchObject({ status: 'created', held: true });
    applyMessage(onboard, { name: 'note', text: 'x' }, now);
    raiseDuplicate(onboard, ['a', 'b'], now);
  }
});

/** The workflow refuses to run under an id other than that of its invitation. */
function workflowIdOf(history: unknown): string {
  const { events } = history as { events: { workflowExecutionStartedEventAttributes?: { workflowId: string } }[] };
  return events[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? '';
}
