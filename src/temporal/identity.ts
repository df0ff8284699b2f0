import {
  Client,
  Connection,
  NamespaceNotFoundError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { listQuery } from './list-filters';
import type { Config } from '../config';
import { ConfigError } from '../config-error';
import { forShell } from '../visible';
import { isSameUpstream, named } from '../upstream';
import { connectTemporal, TemporalUnavailable, type TemporalSettings } from './connection';
import { expectedByWorker, type Expected } from './expected-upstream';

/**
 * The server records whose onboards a task queue holds, because every worker that polls the queue takes them, wherever it
 * runs. The record is a workflow execution that never begins: a worker may start one even where it may change nothing else
 * (Temporal Cloud), and if several start the same id, Temporal lets only one succeed.
 */
const TYPE = 'onboardsUpstream';
export const recordIdOf = (taskQueue: string) => `onboards-upstream-${taskQueue}`;
/** The longest delay that the server accepts. */
const START_DELAY_HOURS = 36_500 * 24;
const ANSWER_MS = 5_000;
const MOST_TRIES = 3;

/** Which upstream a namespace and a task queue of a server belong to. */
export class Identity {
  private recorded: string | undefined;
  private asking: Promise<string | undefined> | undefined;

  /** @param own what a client works for, if it knows; a worker hands its own to `claim` */
  constructor(
    private readonly temporal: Client,
    private readonly taskQueue: string,
    private readonly own?: Expected,
  ) {}

  /** LeadConduit's address, or `emulator`; undefined until somebody has written the record, so that the next call asks again.
   *  @throws {ConfigError} when the queue belongs to another upstream, {TemporalUnavailable} */
  async upstream(): Promise<string | undefined> {
    if (this.recorded !== undefined) return this.recorded;
    this.asking ??= this.read().finally(() => (this.asking = undefined));
    return this.asking;
  }

  private async read(): Promise<string | undefined> {
    const found = await this.find();
    if (found && this.own) this.assertOf(this.own, found.upstream);
    return (this.recorded = found?.upstream);
  }

  /** To be called before an onboard is started, which a worker for another upstream would take. A client that does not know
   *  its upstream leaves the claim to the worker. */
  async claimForStart(): Promise<void> {
    if (this.own && (await this.upstream()) === undefined) await this.claim(this.own);
  }

  /** To be called before anything is taken from the queue. If several claim at once, one writes the record and the others
   *  read it. @throws {ConfigError} when the queue belongs to another upstream, or may do so, {TemporalUnavailable} */
  async claim(own: Expected): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const found = await this.find();
      if (found) this.assertOf(own, found.upstream);
      if (found?.isKept === true) return;
      if (!found && own.ground !== 'sure') await this.assertNobodys(own);
      // A record that somebody has ended would disappear with the namespace's retention, so it is written again.
      const isWritten = await this.write(own.upstream, found ? 'ALLOW_DUPLICATE' : 'REJECT_DUPLICATE');
      if (isWritten) return;
      if (tries === MOST_TRIES)
        throw new TemporalUnavailable(
          `Temporal neither shows the workflow ${recordIdOf(this.taskQueue)}, which records whose onboards it holds, nor lets ` +
            'this program start it. Start this program again; if that does not help, look at that workflow in Temporal.',
        );
    }
  }

  /** A record that somebody has ended counts for as long as Temporal keeps it. */
  private async find(): Promise<{ upstream: string; isKept: boolean } | undefined> {
    const workflowId = recordIdOf(this.taskQueue);
    const run = await this.answered(() => this.temporal.workflow.getHandle(workflowId).describe()).catch(
      (error: unknown) => {
        if (error instanceof WorkflowNotFoundError) return undefined;
        throw error;
      },
    );
    if (!run) return undefined;
    const upstream = run.memo?.upstream;
    if (typeof upstream === 'string') return { upstream, isKept: run.status.name === 'RUNNING' };
    throw new ConfigError(
      `The workflow ${workflowId} in Temporal does not say whose onboards task queue ${this.taskQueue} holds: its memo has ` +
        `no upstream. Delete it (\`temporal workflow delete --workflow-id ${workflowId}\`) if you know that the queue holds nobody else's onboards, ` +
        `or set ONBOARDS_TASK_QUEUE to another queue.`,
    );
  }

  /** @returns false if another program was faster */
  private async write(
    upstream: string,
    workflowIdReusePolicy: 'REJECT_DUPLICATE' | 'ALLOW_DUPLICATE',
  ): Promise<boolean> {
    const workflowId = recordIdOf(this.taskQueue);
    const start = () =>
      this.temporal.workflow.start(TYPE, {
        workflowId,
        workflowIdReusePolicy,
        workflowIdConflictPolicy: 'FAIL',
        // Nobody polls this queue, and because the workflow never begins, no task ever waits on it.
        taskQueue: workflowId,
        startDelay: `${START_DELAY_HOURS}h`,
        memo: { upstream },
        staticSummary: 'Not an onboard: it records which upstream a task queue belongs to. Leave it as it is.',
        staticDetails:
          `Task queue ${this.taskQueue} holds the onboards of LeadConduit: ${named(upstream)} (memo \`upstream\`). Workers, API ` +
          'and command line compare it with what they are for. It is meant to stay here and never to begin.',
      });
    try {
      await this.answered(start);
      return true;
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
      throw error;
    }
  }

  private async answered<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await this.temporal.withDeadline(Date.now() + ANSWER_MS, ask);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError || error instanceof WorkflowExecutionAlreadyStartedError) throw error;
      const { namespace } = this.temporal.options;
      if (error instanceof NamespaceNotFoundError)
        throw new ConfigError(
          `Temporal has no namespace ${namespace}: set TEMPORAL_NAMESPACE to one that it has, or create it:\n  temporal operator namespace create --namespace ${namespace}`,
        );
      const { details, message } = ((error as Error).cause ?? error) as { details?: string; message: string };
      throw new TemporalUnavailable(
        `Temporal did not answer the question whose onboards it holds (${details || message})`,
      );
    }
  }

  private async assertNobodys({ ground, upstream, address }: Expected): Promise<void> {
    const all = listQuery(this.taskQueue);
    const count = async (query: string) => (await this.answered(() => this.temporal.workflow.count(query))).count;
    if ((await count(all)) === 0) return;
    // If the server was named, onboards that no worker has begun yet go to whichever worker comes first.
    if (ground === 'named' && (await count(`${all} AND OnboardPhase != 'creating'`)) === 0) return;
    throw new ConfigError(
      `Temporal at ${address} holds onboards on task queue ${this.taskQueue} and does not say whose: they are older than that ` +
        `record, or somebody deleted it. Nothing was changed. Start the npm start that they belong to once, or a worker with ` +
        `TEMPORAL_ADDRESS=${address} and their LEADCONDUIT_API_KEY, which writes it; or, if you know that they are those of ` +
        `${named(upstream)}, write it yourself: ${this.commandFor(upstream, address)}`,
    );
  }

  /** The command that writes the record, and replaces a wrong one. */
  private commandFor(upstream: string, address: string): string {
    const id = forShell(recordIdOf(this.taskQueue));
    return (
      `\`temporal workflow start --address ${address} --namespace ${this.temporal.options.namespace} --workflow-id ${id} ` +
      `--type ${TYPE} --task-queue ${id} --start-delay ${START_DELAY_HOURS}h --id-conflict-policy TerminateExisting ` +
      `--memo ${forShell(`upstream=${JSON.stringify(upstream)}`)}\``
    );
  }

  private assertOf({ upstream, because, address, wayOut }: Expected, recorded: string): void {
    if (isSameUpstream(recorded, upstream)) return;
    throw new ConfigError(
      `Temporal at ${address} holds the onboards of ${named(recorded)} (it says so itself, in the workflow ` +
        `${recordIdOf(this.taskQueue)} of namespace ${this.temporal.options.namespace}), and this program is for ` +
        `${named(upstream)}: ${because}. Nothing was changed. ${wayOut(recorded)} ` +
        `If it is the record that is wrong, end the programs that work on the queue and write another: ${this.commandFor(upstream, address)}`,
    );
  }
}

/** To be called before anything is started that would work on the server.
 *  @throws {ConfigError} when it belongs to another upstream, {TemporalUnavailable} */
export async function claimServer(settings: TemporalSettings, config: Config, isFolders: boolean): Promise<void> {
  const connection = await connectTemporal(settings, (options) => Connection.connect(options));
  try {
    const temporal = new Client({ connection, namespace: settings.namespace });
    await new Identity(temporal, config.taskQueue).claim(expectedByWorker(config, settings, isFolders));
  } finally {
    await connection.close();
  }
}
