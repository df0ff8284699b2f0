/** The rules for messages, on the real server: accepted or refused with a reason, never lost, never an error for ever. */
import { defaultPayloadConverter } from '@temporalio/common';
import { eventually } from '../support/api';
import { World } from '../support/world';

let world: World;
const given = async (options: Parameters<typeof World.start>[0] = {}) => {
  world = await World.start(options);
};
afterEach(() => world.close());

const refusals = async () =>
  (await world.state()).timeline.filter(({ event }) => event === 'message_refused').map(({ detail }) => detail);

describe('signals', () => {
  beforeEach(() => given());

  test('sent before a worker runs are carried out in their order: hold, release, hold ends held', async () => {
    await world.stopWorker();
    await world.start();
    for (const name of ['hold', 'release', 'hold']) await world.signal(name, { by: 'ann' });
    await world.startWorker();
    const state = await world.until('held', ({ phase }) => phase === 'held');
    expect(state.timeline.map(({ event }) => event)).toEqual(['started', 'held', 'released', 'held']);
    expect(await world.effects()).toMatchObject({ posts: 0 });
  });

  test('that are malformed, unknown, out of place, stale or undecodable become lines that say why; nothing else changes', async () => {
    await world.create();
    const undecodable = { metadata: { encoding: Buffer.from('binary/encrypted') }, data: Buffer.from('x') };
    await world.signal('advance');
    await world.signal('advance', { to: 'created' });
    await world.signal('advance', 'completed');
    await world.signal('advance', { to: 'completed', by: 7 });
    await world.signal('advance', { to: 'in_progress', flow_id: 'nonsense' });
    await world.signal('release', null);
    await world.signal('resolve', { action: 'retry', attention: 'a9' });
    await world.signal('note', {});
    await world.signal('frobnicate', { to: 'completed' });
    await world.signal('hold', { __undecodable__: 5 });
    await rawSignal('advance', undecodable);
    await rawSignal('__temporal_mischief', defaultPayloadConverter.toPayload({}));
    await rawSignal('__stack_trace', defaultPayloadConverter.toPayload({}));
    await world.signal('note', { text: 'last' });
    const state = await world.until('the last', ({ timeline }) => timeline.at(-1)?.detail === 'last');
    expect(state).toMatchObject({ status: 'created', phase: 'waiting', held: false });
    expect(await refusals()).toEqual([
      'advance: to must be in_progress or completed',
      'advance: to must be in_progress or completed',
      'advance: its payload must be one object',
      'advance: by must be a text',
      'advance: flow_id must be 24 hexadecimal digits',
      'release: it is not held',
      'resolve: it needs no attention: there is nothing to resolve',
      'note: text must be a text',
      expect.stringMatching(/^frobnicate: there is no message of this name/),
      expect.stringMatching(/^hold: its payload cannot be decoded/),
      expect.stringMatching(/^advance: its payload cannot be decoded/),
      expect.stringMatching(/^reserved:__temporal_mischief: there is no message/),
      expect.stringMatching(/^__stack_trace: there is no message/),
    ]);
  });

  test('with the same key act once', async () => {
    await world.create();
    for (let n = 0; n < 3; n += 1) await world.signal('note', { text: 'called the buyer', key: 'k1' });
    await world.signal('hold', { key: 'k1' });
    await world.signal('note', { text: 'end' });
    const state = await world.until('the end', ({ timeline }) => timeline.at(-1)?.detail === 'end');
    expect(state.timeline.filter(({ detail }) => detail === 'called the buyer')).toHaveLength(1);
    expect(state.held).toBe(false);
    expect(await refusals()).toContain('hold: its key was used before, for note');
  });

  async function rawSignal(signalName: string, payload: object): Promise<void> {
    await world.temporal.workflowService.signalWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: world.workflowId },
      signalName,
      input: { payloads: [payload] },
    });
  }
});

describe('updates', () => {
  beforeEach(() => given({ settings: { LEADCONDUIT_TIMEOUT: '5s' } }));

  test('answer the state after them; a refused one says why, and leaves no trace', async () => {
    const before = await world.create();
    await expect(world.send({ name: 'release' })).rejects.toThrow('release refused: it is not held');
    await expect(world.send({ name: 'resolve', action: 'retry' })).rejects.toThrow(/needs no attention/);
    expect((await world.state()).timeline).toEqual(before.timeline);
    expect(await world.send({ name: 'hold', by: 'ann', reason: 'contract' })).toMatchObject({
      held: true,
      phase: 'held',
    });
  });

  test('with the same key act once and succeed each time', async () => {
    await world.create();
    const again = () => world.send({ name: 'hold', key: 'k' });
    await again();
    await world.send({ name: 'release' });
    expect(await again()).toMatchObject({ held: false });
  });

  test('for a target that is reached change nothing and succeed, after the end too', async () => {
    await world.create();
    await world.send({ name: 'advance', to: 'completed' });
    await world.until('done', ({ phase }) => phase === 'done');
    expect(await world.send({ name: 'advance', to: 'in_progress' })).toMatchObject({ phase: 'done' });
    await expect(world.send({ name: 'hold' })).rejects.toThrow(/completed/);
    expect(await world.effects()).toMatchObject({ puts: 2, completes: 1 });
  });

  test('that answer another attention than the one that is open are stale', async () => {
    await world.faults({ on: 'POST', when: 'before', do: 'status', status: 422, times: 2 });
    const first = await world.create();
    await world.send({ name: 'resolve', action: 'retry', attention: first.attention!.id });
    const second = await world.until(
      'asked again',
      ({ attention }) => attention !== undefined && attention.id !== first.attention!.id,
    );
    await expect(world.send({ name: 'resolve', action: 'retry', attention: first.attention!.id })).rejects.toThrow(
      /stale/,
    );
    expect(second.attention?.code).toBe('refused');
    expect(await world.effects()).toMatchObject({ posts: 2 });
  });

  test('actions names what is accepted', async () => {
    expect((await world.create()).actions).toEqual([
      'advance in_progress',
      'advance completed',
      'hold',
      'cancel',
      'note',
    ]);
    expect((await world.send({ name: 'hold' })).actions).toEqual([
      'advance in_progress',
      'advance completed',
      'release',
      'cancel',
      'note',
    ]);
  });

  test('ask for completed before the create is done and it is kept', async () => {
    await world.emulate({ down_ms: 300 });
    await world.start();
    await world.send({ name: 'advance', to: 'completed' });
    await world.until('done', ({ phase }) => phase === 'done');
    expect(await world.effects()).toMatchObject({ creates: 1, completes: 1 });
  });

  test('forty callers may wait for the record at once, and an operator is heard meanwhile', async () => {
    await world.faults({ on: 'POST', when: 'before', do: 'slow', ms: 3_000 });
    await world.start();
    const callers = Array.from({ length: 40 }, () =>
      world.onboards.whenCreated({ invitation_id: world.invitation }, 20_000),
    );
    await world.until('out', ({ waiting_for }) => waiting_for.who === 'leadconduit');
    expect(await world.send({ name: 'hold' })).toMatchObject({ status: null, held: true });
    for (const state of await Promise.all(callers)) expect(state.status).toBe('created');
  });
});

describe('hold', () => {
  beforeEach(() => given({ settings: { LEADCONDUIT_TIMEOUT: '5s', ONBOARDS_SETTLE: '1s' } }));

  test('writes nothing upstream until released', async () => {
    await world.create();
    await world.send({ name: 'hold' });
    expect(await world.send({ name: 'advance', to: 'completed' })).toMatchObject({ phase: 'held' });
    await world.send({ name: 'note', text: '' } as never).catch(() => undefined);
    expect(await world.effects()).toMatchObject({ puts: 0 });
    await world.send({ name: 'release' });
    await world.until('done', ({ phase }) => phase === 'done');
  });

  test('finishes the call that is out first; only then is it held', async () => {
    await world.faults({ on: 'POST', when: 'before', do: 'slow', ms: 3_000 });
    await world.start();
    await world.until('out', ({ waiting_for }) => waiting_for.who === 'leadconduit');
    expect(await world.send({ name: 'hold' })).toMatchObject({ phase: 'creating', held: true });
    expect(await world.until('held', ({ phase }) => phase === 'held')).toMatchObject({ status: 'created' });
  });

  test('does not outlive the end', async () => {
    await world.create();
    await world.send({ name: 'advance', to: 'in_progress' });
    await world.until('in_progress', ({ status, phase }) => status === 'in_progress' && phase === 'waiting');
    await world.faults({ on: 'PUT', when: 'before', do: 'slow', ms: 3_000 });
    await world.signal('advance', { to: 'completed' });
    await world.until('out', ({ ledger }) => ledger.at(-1)?.effect === 'completed');
    expect(await world.send({ name: 'hold' })).toMatchObject({ held: true });
    expect(await world.until('done', ({ phase }) => phase === 'done')).toMatchObject({ held: false });
  });

  test('is refused when nothing is left to send', async () => {
    await world.close();
    await given({ settings: { ONBOARDS_CONFIRM: '5s' } });
    await world.create();
    await world.send({ name: 'advance', to: 'completed' });
    const { actions } = await world.until('confirming', ({ phase }) => phase === 'confirming');
    expect(actions).toEqual(['cancel', 'note']);
    await expect(world.send({ name: 'hold' })).rejects.toThrow('nothing is left to send: it has reached completed');
  });

  test('does not stop the looks that settle an unknown, but what would follow them', async () => {
    await world.faults({ on: 'POST', when: 'before', do: 'reset' });
    await world.start();
    await world.until('unknown', ({ phase }) => phase === 'unknown');
    await world.send({ name: 'hold' });
    await world.until('held', ({ phase }) => phase === 'held');
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 0 });
    await world.send({ name: 'release' });
    await world.until('waiting', ({ phase }) => phase === 'waiting');
    expect(await world.effects()).toMatchObject({ posts: 2, creates: 1 });
  });
});

describe('cancel', () => {
  beforeEach(() => given({ settings: { ONBOARDS_SETTLE: '1s' }, policy: { backoff_ms: 500 } }));
  const ends: [string, () => Promise<unknown>][] = [
    ['as a message', () => world.send({ name: 'cancel', by: 'ann', reason: 'wrong buyer' })],
    ["as Temporal's own", () => world.run.cancel()],
  ];
  const ended = () => world.until('cancelled', ({ phase }) => phase === 'cancelled');
  const runStatus = async () => (await world.run.describe()).status.name;

  test.each(ends)('%s ends the run as cancelled and says what stays in LeadConduit', async (_, cancel) => {
    const { record } = await world.create();
    await cancel();
    const state = await ended();
    expect(state.waiting_for.text).toContain(record!.id);
    expect(await runStatus()).toBe('CANCELLED');
  });

  test.each(ends)('%s waits for the call that is out and records it', async (_, cancel) => {
    await world.faults({ on: 'POST', when: 'after', do: 'slow', ms: 600 });
    await world.start();
    await eventually(async () => (await world.effects()).posts > 0);
    await cancel();
    const state = await ended();
    expect(state.ledger.map(({ outcome }) => outcome)).toEqual(['done']);
    expect(state.record).not.toBeNull();
  });

  test.each(ends)('%s waits for a settle time that runs', async (_, cancel) => {
    await world.faults({ on: 'POST', when: 'after', do: 'reset' });
    await world.emulate({ lag_ms: 2_500 });
    await world.start();
    await world.until('unknown', ({ phase }) => phase === 'unknown');
    await cancel();
    expect((await ended()).ledger.map(({ outcome }) => outcome)).toEqual(['adopted']);
  });

  test('a new start after it looks first and adopts; the same id, one onboard', async () => {
    const { record } = await world.create();
    await world.send({ name: 'cancel' });
    await ended();
    const again = await world.create();
    expect(again.record?.id).toBe(record!.id);
    expect(again.timeline.map(({ event }) => event)).toContain('adopted');
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });

  test('whoever waits for the record is told when it ends without one', async () => {
    await world.faults({ on: 'GET', when: 'before', do: 'html', times: 4 });
    await world.start();
    const waiting = world.onboards.whenCreated({ invitation_id: world.invitation }, 10_000);
    await world.until('not sent', ({ ledger }) => ledger[0]?.outcome === 'not_sent');
    await world.send({ name: 'cancel' });
    expect(await waiting).toMatchObject({ phase: 'cancelled', record: null });
    expect(await world.effects()).toMatchObject({ posts: 0 });
  });
});

describe("Temporal's own web page", () => {
  test('is told in words what a run is about and where it stands', async () => {
    await given();
    await world.create({ label: 'Acme Solar' });
    const run = world.run;
    expect(await (await run.describe()).staticSummary()).toBe('Acme Solar');
    const details = async () =>
      (await run.query<{ currentDetails: string }>('__temporal_workflow_metadata')).currentDetails;
    expect(await details()).toBe(
      '**created** (waiting). Waiting for operator: somebody to say that it may go on to in_progress',
    );
    await world.send({ name: 'hold' });
    expect(await details()).toBe('**created** (held). Waiting for operator: somebody to release it');
  });
});
