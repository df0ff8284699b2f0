import { basename, join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { NativeConnection, type Worker } from '@temporalio/worker';
import { createActivities, type Deps } from '../../src/activities';
import { Doubles } from '../../src/activities/doubles';
import { ListTrust } from '../../src/activities/list-trust';
import { InFlightWrites } from '../../src/activities/in-flight-writes';
import { OnboardsClient, policyOf } from '../../src/client';
import { loadConfig, type Config } from '../../src/config';
import { LeadConduitClient, type Look } from '../../src/leadconduit/client';
import type { OnboardRecord } from '../../src/leadconduit/schema';
import { Identity } from '../../src/temporal/identity';
import { expectedByWorker } from '../../src/temporal/expected-upstream';
import { workerOptions } from '../../src/temporal/worker-options';
import { workflowIdOf } from '../../src/onboard/ids';
import type { Message } from '../../src/onboard/parse-message';
import type { OnboardView } from '../../src/onboard/view';
import type { Policy } from '../../src/onboard/input';
import { FrugalWorker } from './frugal-worker';
import { newId } from './new-id';

/** The payload converter of the product's worker. */
export const payloadConverterPath = require.resolve('../../src/temporal/payload-converter');

export { newId };

export interface Fault {
  on: 'GET' | 'POST' | 'PUT';
  when: 'before' | 'after';
  do: 'reset' | 'hang' | 'slow' | 'status' | 'html' | 'truncate' | 'foreign' | 'partial' | 'page' | 'stale';
  keep?: number;
  status?: number;
  retry_after?: number;
  ms?: number;
  times?: number;
  invitation_id?: string;
}
interface Effects {
  posts: number;
  creates: number;
  puts: number;
  completes: number;
  emails: number;
}

export interface WorldOptions {
  settings?: Record<string, string>;
  /** Unless false, an onboard has been created here and is listed: absence is proof from the start. */
  presence?: boolean;
  records?: OnboardRecord[];
  deps?: Partial<Deps>;
  address?: string;
  /** How long before its time is up an attempt stops sending, ms. */
  reserveMs?: number;
  policy?: Partial<Policy>;
}

const KEY = 'test-key';

/** For the proof, in which all histories of a queue must replay. The file names say which part they are from. */
export async function saveHistories({ workflow }: Client, taskQueue: string): Promise<void> {
  const { PROOF_HISTORIES: folder } = process.env;
  if (folder === undefined) return;
  const part = basename(expect.getState().testPath ?? '', '.test.ts');
  for await (const { workflowId, runId } of workflow.list({ query: `TaskQueue = "${taskQueue}"` })) {
    const history = await workflow.getHandle(workflowId, runId).fetchHistory();
    writeFileSync(join(folder, `${part}.${workflowId}-${runId}.json`), historyToJSON(history));
  }
}

/** Starts an emulator in the process of emulators. */
async function startEmulator(records?: OnboardRecord[]) {
  const { TEST_EMULATORS: emulators = '' } = process.env;
  const ask = (method: string, body: string) => fetch(emulators, { method, body });
  const { url } = (await (await ask('POST', JSON.stringify({ records }))).json()) as { url: string };
  return { url, close: async () => (await ask('DELETE', url)).text() };
}

/** The whole line in one process, but for the emulator: a worker on a queue of its own, and a client, on a real Temporal server. */
export class World {
  readonly invitation = newId();
  worker: Worker | undefined;
  private running: Promise<void> | undefined;
  readonly doubles = new Doubles((invitation, ...doubled) => this.onboards.get(invitation).tellDoubled(...doubled));

  private constructor(
    readonly config: Config,
    readonly emulator: { url: string; close: () => Promise<unknown> },
    readonly temporal: Client,
    readonly onboards: OnboardsClient,
    readonly connection: NativeConnection,
    private readonly options: WorldOptions,
    private trust: ListTrust,
  ) {}

  static async start(options: WorldOptions = {}): Promise<World> {
    const emulator = await startEmulator(options.records);
    const config = loadConfig({
      LEADCONDUIT_API_KEY: KEY,
      LEADCONDUIT_BASE_URL: emulator.url,
      LEADCONDUIT_TIMEOUT: '1s',
      ONBOARDS_SETTLE: '250ms',
      ONBOARDS_CONFIRM: '0',
      ONBOARDS_TASK_QUEUE: `test-${newId()}`,
      ...options.settings,
    });
    const { address = process.env.TEST_TEMPORAL_ADDRESS ?? '' } = options;
    const [connection, native] = await Promise.all([
      Connection.connect({ address }),
      NativeConnection.connect({ address }),
    ]);
    const client = new Client({ connection });
    // As the worker does.
    const settings = { connectionOptions: { address }, isConfigured: true };
    await new Identity(client, config.taskQueue).claim(expectedByWorker(config, settings));
    const policy = { ...policyOf(config), backoff_ms: 50, credentials_backoff_ms: 100, ...options.policy };
    const onboards = new OnboardsClient(client, { taskQueue: config.taskQueue, policy });
    const world = new World(
      config,
      emulator,
      client,
      onboards,
      native,
      options,
      new ListTrust((ids) => onboards.lists.gone(ids)),
    );
    if (options.presence !== false) await world.showPresence();
    await world.startWorker();
    return world;
  }

  get workflowId(): string {
    return workflowIdOf(this.invitation);
  }
  /** The newest run of this world's onboard. */
  get run(): WorkflowHandle {
    return this.temporal.workflow.getHandle(this.workflowId);
  }

  /** A client for LeadConduit, made as the worker makes it. */
  leadconduit(): LeadConduitClient {
    const { apiKey = '', ...settings } = this.config.leadconduit;
    const onLook = (look: Look) => {
      this.trust.seen(look);
      this.doubles.seen(look);
    };
    return new LeadConduitClient({ ...settings, apiKey, onLook });
  }

  /** Starts the worker; `deps` override those of the product. */
  async startWorker(deps: Partial<Deps> = {}): Promise<void> {
    this.worker = await FrugalWorker.create({
      ...workerOptions(this.config),
      connection: this.connection,
      namespace: 'default',
      workflowBundle: { codePath: process.env.TEST_WORKFLOW_BUNDLE ?? '' },
      shutdownGraceTime: '5s',
      activities: createActivities({
        leadconduit: this.leadconduit(),
        trust: this.trust,
        writes: new InFlightWrites(),
        completedStatus: this.config.leadconduit.completedStatus,
        reserveMs: this.options.reserveMs ?? 1_000,
        ...this.options.deps,
        ...deps,
      }),
    });
    this.running = this.worker.run();
    this.running.catch(() => undefined);
  }

  /** The worker takes no new work; resolves when it has done what it had. Another one may be started meanwhile. */
  async stopWorker(): Promise<void> {
    const { worker, running } = this;
    this.worker = undefined;
    worker?.shutdown();
    await running;
  }

  /** Starts another worker, which knows only what a worker learns when it starts. */
  async restartWorker(): Promise<void> {
    await this.stopWorker();
    this.trust = new ListTrust((ids) => this.onboards.lists.gone(ids));
    for (const { id, ...known } of await this.onboards.lists.known(50)) this.trust.add(id, known);
    const leadconduit = this.leadconduit();
    await leadconduit.look(Date.now() + leadconduit.timeoutMs).catch(() => undefined);
    leadconduit.close();
    await this.startWorker();
  }

  async close(): Promise<void> {
    if (this.worker) await this.stopWorker();
    await saveHistories(this.temporal, this.config.taskQueue);
    await this.connection.close();
    await this.temporal.connection.close();
    await this.emulator.close();
  }

  private async showPresence(): Promise<void> {
    const record = await this.call('POST', '/onboards', { invitation_id: newId() });
    this.trust.add((record as OnboardRecord).id);
  }

  /** A call to the emulator: as another client of the account, or to plan faults. */
  async call(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(this.emulator.url + path, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
      headers: { authorization: `Basic ${btoa(`API:${KEY}`)}`, 'content-type': 'application/json' },
    });
    const text = await response.text();
    return text === '' ? undefined : JSON.parse(text);
  }

  faults(...faults: Fault[]): Promise<unknown> {
    return this.call('PUT', '/_emulator/faults', faults);
  }
  mend(): Promise<unknown> {
    return this.call('DELETE', '/_emulator/faults');
  }
  emulate(options: {
    lag_ms?: number;
    hide_created?: boolean;
    down_ms?: number;
    key?: string | null;
  }): Promise<unknown> {
    return this.call('PUT', '/_emulator/options', options);
  }

  async ledger(): Promise<{
    invitations: Record<string, Effects>;
    calls: Record<'GET' | 'POST' | 'PUT', number>;
    max_in_flight: number;
  }> {
    return (await this.call('GET', '/_emulator/ledger')) as never;
  }
  /** What LeadConduit was made to do for an invitation. */
  async effects(invitation = this.invitation): Promise<Effects> {
    const none = { posts: 0, creates: 0, puts: 0, completes: 0, emails: 0 };
    return (await this.ledger()).invitations[invitation.toLowerCase()] ?? none;
  }

  async start(request: { flow_id?: string; label?: string; invitation_id?: string } = {}): Promise<void> {
    await this.onboards.start({ invitation_id: this.invitation, ...request });
  }

  /** Starts this world's onboard and waits until it is created or needs attention. */
  async create(request: { flow_id?: string; label?: string } = {}): Promise<OnboardView> {
    await this.start(request);
    const state = await this.onboards.whenCreated({ invitation_id: this.invitation, ...request }, 20_000);
    return state.stale
      ? this.until('created', ({ record, attention }) => record !== null || attention !== undefined)
      : state;
  }

  /** Another client of the account: makes an onboard, or changes one. */
  async elsewhere(change: { invitation_id?: string; flow_id?: string } | OnboardRecord): Promise<OnboardRecord> {
    if ('id' in change) return (await this.call('PUT', `/onboards/${change.id}`, change)) as OnboardRecord;
    return (await this.call('POST', '/onboards', { invitation_id: this.invitation, ...change })) as OnboardRecord;
  }

  send(message: Message): Promise<OnboardView> {
    return this.onboards.get(this.invitation).send(message);
  }

  /** Sends a signal as Temporal's own command line would, of any name and payload. */
  async signal(name: string, ...args: unknown[]): Promise<void> {
    await this.run.signal(name, ...args);
  }

  state(): Promise<OnboardView> {
    return this.onboards.get(this.invitation).state();
  }

  /** Waits for a state that the worker answers, however busy the machine is; on a time-out, the error shows the last one. */
  async until(what: string, is: (state: OnboardView) => boolean, waitMs = 40_000): Promise<OnboardView> {
    const deadline = Date.now() + waitMs;
    for (;;) {
      const state = await this.state();
      if ((!state.stale || state.waiting_for.who === 'nobody') && is(state)) return state;
      if (Date.now() > deadline) throw new Error(`never ${what}: ${JSON.stringify(state, null, 1)}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
