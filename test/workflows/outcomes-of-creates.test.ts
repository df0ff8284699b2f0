/** Each row of the table "One attempt, then look" for a create, on the real server: what was seen, and what follows. */
import { LeadConduitClient, type LeadConduitOptions, type Look } from '../../src/leadconduit/client';
import type { AttentionCode } from '../../src/onboard/attention';
import type { OnboardView } from '../../src/onboard/view';
import { newId, World, type Fault, type WorldOptions } from '../support/world';

let world: World;
const given = async (options: WorldOptions = {}, ...faults: Fault[]) => {
  world = await World.start(options);
  if (faults.length > 0) await world.faults(...faults);
  return world;
};
afterEach(() => world.close());

const outcomes = ({ ledger }: OnboardView) => ledger.map(({ effect, outcome }) => `${effect} ${outcome}`);
const attention = (code: AttentionCode) => world.until(`attention ${code}`, (state) => state.attention?.code === code);
const waiting = () => world.until('waiting', ({ phase }) => phase === 'waiting');
const done = () => world.until('done', ({ phase }) => phase === 'done');

/** As where the account's list leaves out one that there is. */
class Hiding extends LeadConduitClient {
  constructor(
    options: LeadConduitOptions,
    private readonly hidden: string,
  ) {
    super(options);
  }
  override async look(until: number): Promise<Look> {
    const look = await super.look(until);
    return { ...look, of: (invitation) => look.of(invitation).filter(({ id }) => id !== this.hidden) };
  }
}

describe('a create that may have worked', () => {
  test.each<[string, Partial<Fault>]>([
    ['the connection is reset', { do: 'reset' }],
    ['no answer comes', { do: 'hang' }],
    ['the answer is cut off', { do: 'truncate' }],
    ['a gateway answers in HTML', { do: 'html' }],
    ['the answer is about another invitation', { do: 'foreign' }],
    ['it answers 500', { do: 'status', status: 500 }],
    ['it answers 408', { do: 'status', status: 408 }],
    ['it answers 425', { do: 'status', status: 425 }],
    ['a gateway answers 400 in HTML', { do: 'html', status: 400 }],
  ])('is looked for at once and adopted, when it had its effect and %s', async (_, fault) => {
    await given({}, { on: 'POST', when: 'after', do: 'reset', ...fault });
    const state = await world.create();
    expect(outcomes(state)).toEqual(['create adopted']);
    expect(state.timeline.map(({ event }) => event)).toEqual(['started', 'unknown', 'adopted']);
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });

  test('is sent once more after three looks without it, and looked for again a settle time later', async () => {
    await given({}, { on: 'POST', when: 'before', do: 'reset' });
    const state = await world.create();
    expect(outcomes(state)).toEqual(['create unknown', 'create done']);
    expect(state.timeline.filter(({ event }) => event === 'absent')).toHaveLength(3);
    await world.until('checked', ({ timeline }) => timeline.at(-1)?.event === 'checked');
    expect(await world.effects()).toMatchObject({ posts: 2, creates: 1 });
  });

  test('is not sent a third time by itself; a person may order it by name', async () => {
    await given({}, { on: 'POST', when: 'before', do: 'reset', times: 2 });
    await world.create();
    expect((await attention('unknown_outcome')).actions).toEqual(
      expect.arrayContaining(['resolve retry', 'resolve adopt']),
    );
    expect(await world.effects()).toMatchObject({ posts: 2, creates: 0 });
    await world.send({ name: 'resolve', action: 'retry', by: 'ann' });
    expect(outcomes(await waiting())).toEqual(['create unknown', 'create unknown', 'create done']);
    expect(await world.effects()).toMatchObject({ posts: 3, creates: 1 });
  });

  test('is found when the list shows it late, but within the settle times', async () => {
    await given({}, { on: 'POST', when: 'after', do: 'reset' });
    await world.emulate({ lag_ms: 700 });
    expect(outcomes(await world.create())).toEqual(['create adopted']);
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });

  test('needs attention where the list has never shown what was created here, which clears itself once it has', async () => {
    await given({ presence: false }, { on: 'POST', when: 'before', do: 'reset' });
    await world.create();
    const before = await attention('absence_unproven');
    expect(await world.effects()).toMatchObject({ posts: 1 });
    await world.onboards.start({ invitation_id: newId() });
    expect(outcomes(await waiting())).toEqual(['create unknown', 'create done']);
    expect(before.actions).toContain('resolve retry');
  });

  test('that a person wants to adopt from a list that cannot be believed is not sent again', async () => {
    await given({ presence: false }, { on: 'POST', when: 'after', do: 'reset' });
    await world.emulate({ hide_created: true });
    await world.create();
    await attention('absence_unproven');
    await world.send({ name: 'resolve', action: 'adopt', by: 'ann' });
    await world.until('asked again', (state) => state.attention?.id.startsWith('a2-') === true);
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
    await world.emulate({ hide_created: false });
    await waiting();
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });

  test('that landed behind our back as a second onboard is seen a settle time later', async () => {
    await given(
      { settings: { LEADCONDUIT_TIMEOUT: '5s' } },
      { on: 'POST', when: 'before', do: 'reset' },
      { on: 'POST', when: 'after', do: 'slow', ms: 2_000 },
    );
    await world.start();
    // The check comes a settle time after the answer.
    while ((await world.effects()).creates === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await world.elsewhere({});
    expect((await attention('duplicate')).attention?.message).toMatch(/2 onboards/);
  });
});

describe('a create that surely did nothing', () => {
  test('is tried again when LeadConduit is not there', async () => {
    await given({ policy: { backoff_ms: 500 } });
    await world.emulate({ down_ms: 3_000 });
    const state = await world.create();
    expect(outcomes(await waiting())).toEqual(['create done']);
    expect(state.timeline.filter(({ event }) => event === 'not_sent')).toHaveLength(1);
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });

  test('is tried again after what Retry-After asks for', async () => {
    await given({}, { on: 'POST', when: 'before', do: 'status', status: 429, retry_after: 1 });
    await world.start();
    const limited = await world.until('not sent', ({ ledger }) => ledger[0]?.outcome === 'not_sent');
    expect(limited.waiting_for.who).toBe('time');
    expect(Date.parse(limited.next!.at) - Date.parse(limited.ledger[0]!.settled_at!)).toBeGreaterThanOrEqual(1_000);
    expect(outcomes(await waiting())).toEqual(['create not_sent', 'create done']);
  });

  test('a 429 that did create is adopted by the look before the next act', async () => {
    await given({}, { on: 'POST', when: 'after', do: 'status', status: 429 });
    await world.start();
    expect(outcomes(await waiting())).toEqual(['create not_sent', 'create adopted']);
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });

  test.each([400, 404, 413, 415, 422, 307])(
    "a refusal with LeadConduit's own words needs attention: %i",
    async (status) => {
      await given({}, { on: 'POST', when: 'before', do: 'status', status });
      await world.create();
      const refused = await attention('refused');
      expect(refused).toMatchObject({ status: null, phase: 'attention', waiting_for: { who: 'operator' } });
      expect(refused.ledger[0]).toMatchObject({ outcome: 'refused', http_status: status });
      await world.send({ name: 'resolve', action: 'retry', attention: refused.attention!.id });
      await waiting();
      expect(await world.effects()).toMatchObject({ posts: 2, creates: 1 });
    },
  );

  test('a refusal after the effect: the retry that a person orders looks first', async () => {
    await given({}, { on: 'POST', when: 'after', do: 'status', status: 422 });
    await world.create();
    await attention('refused');
    await world.send({ name: 'resolve', action: 'retry' });
    expect((await waiting()).timeline.map(({ event }) => event)).toContain('adopted');
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });

  test('409 looks first: what is there is adopted', async () => {
    await given({}, { on: 'POST', when: 'after', do: 'status', status: 409 });
    expect(outcomes(await world.create())).toEqual(['create adopted']);
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });

  test('409 with nothing there needs attention', async () => {
    await given({}, { on: 'POST', when: 'before', do: 'status', status: 409 });
    await world.create();
    await attention('refused');
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 0 });
  });

  test('a refused key needs attention and clears itself', async () => {
    await given({}, { on: 'POST', when: 'before', do: 'status', status: 401, times: 1_000 });
    await world.create();
    expect((await attention('credentials')).waiting_for.who).toBe('operator');
    await world.mend();
    const state = await waiting();
    expect(outcomes(state)).toEqual(['create refused', 'create done']);
    expect(state.attention).toBeUndefined();
    expect(await world.effects()).toMatchObject({ creates: 1 });
  });

  test('a key that is refused already to the look: nothing was sent, so no double is looked for', async () => {
    await given({}, { on: 'GET', when: 'before', do: 'status', status: 401, times: 1_000 });
    await world.create();
    const isKnown = ({ attention, ledger }: OnboardView) =>
      attention?.code === 'credentials' && ledger.at(-1)?.outcome !== 'pending';
    const { ledger } = await world.until('told', isKnown);
    await world.mend();
    expect(ledger).toMatchObject([
      { outcome: 'not_sent', words: expect.stringMatching(/^key refused at the look: /) as string },
    ]);
    expect(ledger[0]).not.toHaveProperty('http_status');
    const state = await waiting();
    expect(outcomes(state)).toEqual(['create done']);
    expect(state.next).toBeUndefined();
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });

  test('a list that cannot be read five times in a row needs attention, and is looked at further', async () => {
    await given({}, { on: 'GET', when: 'before', do: 'html', times: 1_000 });
    await world.create();
    const state = await attention('list_unreadable');
    await world.mend();
    expect(state.timeline.filter(({ event }) => event === 'not_sent')).toHaveLength(1);
    expect(outcomes(await waiting())).toEqual(['create done']);
  });
});

describe('an onboard that is there already', () => {
  test('is adopted without a call', async () => {
    await given();
    const { id } = await world.elsewhere({});
    expect(await world.create()).toMatchObject({ status: 'created', record: { id } });
    expect(await world.effects()).toMatchObject({ posts: 1, creates: 1 });
  });

  test('in whatever status: completed there is completed here, without a PUT of ours', async () => {
    await given();
    await world.elsewhere({ ...(await world.elsewhere({})), status: 'completed' });
    await world.start();
    await done();
    expect(await world.effects()).toMatchObject({ posts: 1, puts: 1, completes: 1 });
  });

  test('twice: nothing is sent, and a person names the one to keep', async () => {
    await given();
    const [keep] = [await world.elsewhere({}), await world.elsewhere({})];
    await world.create();
    const { actions } = await attention('duplicate');
    expect(actions).toContain('resolve adopt');
    await expect(world.send({ name: 'resolve', action: 'adopt' })).rejects.toThrow(/onboard_id/);
    await world.send({ name: 'resolve', action: 'adopt', onboard_id: keep.id });
    await world.send({ name: 'advance', to: 'completed' });
    expect((await done()).record).toMatchObject({ id: keep.id, status: 'completed' });
    expect(await world.effects()).toMatchObject({ posts: 2, completes: 1 });
  });

  test('of somebody else, where the list hides ours: nothing is sent, and a person is told of both', async () => {
    await given();
    const { record } = await world.create();
    const other = await world.elsewhere({});
    await world.stopWorker();
    const { apiKey = '', ...settings } = world.config.leadconduit;
    await world.startWorker({ leadconduit: new Hiding({ ...settings, apiKey }, record!.id) });
    await world.send({ name: 'advance', to: 'completed' });
    const { attention: told } = await attention('duplicate');
    expect(told?.message).toContain(`${other.id}, ${record!.id}`);
    expect(await world.effects()).toMatchObject({ posts: 2, puts: 0 });
  });

  test('for another flow than the one asked for: a person decides', async () => {
    await given();
    const [asked, other] = [newId(), newId()];
    await world.elsewhere({ flow_id: other });
    await world.create({ flow_id: asked });
    expect((await attention('flow_conflict')).attention?.message).toContain(other);
    await world.send({ name: 'resolve', action: 'adopt' });
    expect(await waiting()).toMatchObject({ requested_flow_id: other });
  });
});

test('a refused key is noticed to work again while held', async () => {
  await given({}, { on: 'GET', when: 'before', do: 'status', status: 401, times: 1_000 });
  await world.create();
  await attention('credentials');
  await world.send({ name: 'hold' });
  await world.mend();
  expect(await world.until('held', ({ phase }) => phase === 'held')).toMatchObject({ status: null });
  expect(await world.effects()).toMatchObject({ posts: 0 });
});

test('a wait says why the last try was not sent; an attention that mends itself says so', async () => {
  await given({ policy: { backoff_ms: 300 } });
  await world.faults({ on: 'GET', when: 'before', do: 'html', times: 6 });
  await world.start();
  const tried = await world.until('tried', ({ waiting_for }) => waiting_for.text.includes('not sent'));
  expect(tried.waiting_for).toMatchObject({ who: 'time' });
  expect(tried.waiting_for.text).toMatch(
    /^the next try at creating the onboard\. The last call was not sent: LeadConduit's list could/,
  );
  const { waiting_for } = await attention('list_unreadable');
  expect(waiting_for.text).toMatch(
    /^a list from LeadConduit that can be used; .* goes on by itself: LeadConduit's list could not/,
  );
});
