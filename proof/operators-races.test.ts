/**
 * Two who act for one invitation, and calls that land later than anybody waits: nothing is doubled, or, where that cannot
 * be prevented, an attention says `duplicate` and nothing more is sent. Three onboards for each row, at the same time.
 */
import { Client, Connection } from '@temporalio/client';
import { msNumberToTs } from '@temporalio/common/lib/time';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createActivities } from '../src/activities';
import { ListTrust } from '../src/activities/list-trust';
import { InFlightWrites } from '../src/activities/in-flight-writes';
import { OnboardsClient, policyOf } from '../src/client';
import { LeadConduitClient } from '../src/leadconduit/client';
import type { OnboardRecord } from '../src/leadconduit/schema';
import { registerSearchAttributes } from '../src/temporal/register-search-attributes';
import { workerOptions } from '../src/temporal/worker-options';
import type { OnboardView } from '../src/onboard/view';
import { newId, saveHistories, type World } from '../test/support/world';
import { eventually, thrice, type Onboard } from './support/operators';

const settle = (ms: number) => ({ settings: { ONBOARDS_SETTLE: `${ms}ms`, ONBOARDS_CONFIRM: '9s' } });
const listed = async ({ world, invitation }: Onboard) =>
  ((await world.call('GET', '/onboards')) as OnboardRecord[]).filter((record) => record.invitation_id === invitation);
const isDuplicate = (onboard: Onboard) =>
  onboard.until('duplicate', ({ attention }) => attention?.code === 'duplicate');

describe('started twice', () => {
  test('at the same moment, in either case: one create', () =>
    thrice({}, async (onboard) => {
      const { world, invitation } = onboard;
      const ids = Array.from({ length: 8 }, (_, n) => (n % 2 === 0 ? invitation : invitation.toUpperCase()));
      await Promise.all(ids.map((invitation_id) => world.start({ invitation_id })));
      await onboard.created();
      expect(await onboard.effects()).toMatchObject({ posts: 1, creates: 1 });
    }));

  test('and again when it was created, and when it was completed: one create, one completion', () =>
    thrice({ from: 'created' }, async (onboard) => {
      const again = () => onboard.world.start({ invitation_id: onboard.invitation.toUpperCase() });
      await again();
      await onboard.send({ name: 'advance', to: 'completed' });
      await onboard.until('done', ({ phase }) => phase === 'done');
      await again();
      expect(await onboard.state()).toMatchObject({ phase: 'done' });
      expect(await onboard.effects()).toEqual({ posts: 1, creates: 1, puts: 2, completes: 1, emails: 1 });
    }));
});

describe('two namespaces on one account', () => {
  const second = `second-${newId()}`;
  const neighbours = new Map<World, Promise<Neighbour>>();
  const neighbourOf = ({ world }: Onboard) => {
    const known = neighbours.get(world) ?? Neighbour.start(world, second);
    neighbours.set(world, known);
    return known;
  };
  beforeAll(async () => {
    const connection = await Connection.connect({ address: process.env.TEST_TEMPORAL_ADDRESS });
    const workflowExecutionRetentionPeriod = msNumberToTs(24 * 3_600_000);
    await connection.workflowService.registerNamespace({ namespace: second, workflowExecutionRetentionPeriod });
    const isRegistered = () =>
      registerSearchAttributes(connection, second)
        .then(() => true)
        .catch(() => false);
    await eventually('registered', isRegistered);
    await connection.close();
  });
  afterAll(async () => {
    for (const neighbour of neighbours.values()) await (await neighbour).close();
  });

  test('one after the other: the second one adopts, and completes nothing again', () =>
    thrice({ from: 'created' }, async (onboard) => {
      const { onboards } = await neighbourOf(onboard);
      const { invitation } = onboard;
      await onboards.start({ invitation_id: invitation });
      const adopted = await onboards.whenCreated({ invitation_id: invitation }, 20_000);
      expect(adopted.record).toEqual((await onboard.answered()).record);
      await onboard.send({ name: 'advance', to: 'completed' });
      await onboard.until('done', ({ phase }) => phase === 'done');
      await onboards.get(invitation).send({ name: 'advance', to: 'completed' });
      await eventually('done', async () => (await onboards.get(invitation).state()).phase === 'done');
      expect(await onboard.effects()).toEqual({ posts: 1, creates: 1, puts: 2, completes: 1, emails: 1 });
    }));

  // A list that lags is what makes the same instant long enough to be hit.
  test('at the same instant: both say duplicate before anything more is sent', () =>
    thrice({ options: settle(3_000), lag_ms: 6_000 }, async (onboard) => {
      const { onboards } = await neighbourOf(onboard);
      const { invitation } = onboard;
      await Promise.all([onboard.start(), onboards.start({ invitation_id: invitation })]);
      await eventually('both listed', async () => (await listed(onboard)).length === 2);
      await onboard.signal('advance', { to: 'completed' });
      await onboards.get(invitation).send({ name: 'advance', to: 'completed' });
      await isDuplicate(onboard);
      const codeThere = async () => (await onboards.get(invitation).state()).attention?.code;
      await eventually('duplicate there', async () => (await codeThere()) === 'duplicate');
      expect(await onboard.effects()).toMatchObject({ posts: 2, creates: 2, puts: 0 });
    }));
});

/** Each is lost and sent again after three looks without it; then what it leaves behind lands, as if under way until now. */
describe('calls that land later than the settle times', () => {
  const LOST = { when: 'before', do: 'reset' } as const;
  const create = ({ world, invitation }: Onboard) => world.elsewhere({ invitation_id: invitation });
  const move = ({ world }: Onboard, { record }: OnboardView, status: string) => world.elsewhere({ ...record!, status });

  test.concurrent('a create, within a settle time after it was repeated: duplicate, said by itself', () =>
    thrice({ options: settle(5_000), faults: [{ on: 'POST', ...LOST }] }, async (onboard) => {
      await onboard.start();
      const { timeline } = await onboard.created();
      expect(timeline.map(({ event }) => event)).toContain('repeated');
      await create(onboard);
      await isDuplicate(onboard);
      expect(await onboard.effects()).toMatchObject({ creates: 2, puts: 0 });
    }),
  );

  test.concurrent('a create, long after it was repeated: duplicate, said before anything more is sent', () =>
    thrice({ options: settle(250), faults: [{ on: 'POST', ...LOST }] }, async (onboard) => {
      await onboard.start();
      await onboard.until('checked', ({ timeline }) => timeline.some(({ event }) => event === 'checked'));
      await create(onboard);
      await onboard.signal('advance', { to: 'completed' });
      await isDuplicate(onboard);
      expect(await onboard.effects()).toMatchObject({ posts: 3, creates: 2, puts: 0 });
    }),
  );

  test.concurrent('an in_progress call, which takes the status back: said, and completed only once', () =>
    thrice({ options: settle(250), from: 'created', faults: [{ on: 'PUT', ...LOST }] }, async (onboard) => {
      await onboard.send({ name: 'advance', to: 'completed' });
      await move(onboard, await onboard.until('completed', ({ status }) => status === 'completed'), 'in_progress');
      const isTakenBack = ({ attention }: OnboardView) => attention?.code === 'unexpected_status';
      expect(await onboard.until('taken back', isTakenBack)).toMatchObject({ status: 'in_progress' });
      expect(await onboard.effects()).toMatchObject({ puts: 4, completes: 1, emails: 1 });
    }),
  );

  test.concurrent('a completing call: a person is asked, and what has landed meanwhile is found', () =>
    thrice({ options: settle(250), from: 'in_progress', faults: [{ on: 'PUT', ...LOST }] }, async (onboard) => {
      await onboard.send({ name: 'advance', to: 'completed' });
      await move(onboard, await onboard.until('asked', (it) => it.attention?.code === 'unknown_outcome'), 'completed');
      await onboard.send({ name: 'resolve', action: 'retry' });
      await onboard.until('completed', ({ status }) => status === 'completed');
      expect(await onboard.effects()).toMatchObject({ puts: 3, completes: 1, emails: 1 });
    }),
  );
});

/** The same product in another namespace, on the account of a world. */
class Neighbour {
  private constructor(
    readonly onboards: OnboardsClient,
    readonly close: () => Promise<void>,
  ) {}

  static async start({ config }: World, namespace: string): Promise<Neighbour> {
    const address = process.env.TEST_TEMPORAL_ADDRESS;
    const [connection, native] = await Promise.all([
      Connection.connect({ address }),
      NativeConnection.connect({ address }),
    ]);
    const policy = { ...policyOf(config), backoff_ms: 50 };
    const { leadconduit, taskQueue } = config;
    const worker = await Worker.create({
      ...workerOptions(config),
      connection: native,
      namespace,
      workflowBundle: { codePath: process.env.TEST_WORKFLOW_BUNDLE ?? '' },
      activities: createActivities({
        leadconduit: new LeadConduitClient({ ...leadconduit, apiKey: leadconduit.apiKey ?? '' }),
        trust: new ListTrust(),
        writes: new InFlightWrites(),
        completedStatus: leadconduit.completedStatus,
        reserveMs: 1_000,
      }),
    });
    const running = worker.run();
    const client = new Client({ connection, namespace });
    return new Neighbour(new OnboardsClient(client, { taskQueue, policy }), async () => {
      worker.shutdown();
      await running;
      await saveHistories(client, taskQueue);
      await native.close();
      await connection.close();
    });
  }
}
