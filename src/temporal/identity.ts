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
 * Whose onboards a task queue holds is kept in the server, since every worker that polls the queue takes them, wherever it
 * runs. It is kept as a workflow execution that never begins, since a worker may start one where it may change nothing
 * else (Temporal Cloud), and since Temporal lets only one of several start the same id.
 */
const TYPE = 'onboardsUpstream';
export const recordIdOf = (taskQueue: string) => `onboards-upstream-${taskQueue}`;
/** The most that the server takes. */
const START_DELAY_HOURS = 36_500 * 24;
const ANSWER_MS = 5_000;
const MOST_TRIES = 3;

/** A namespace and a task queue of a server. */
export class Identity {
  private recorded: string | undefined;
  private asking: Promise<string | undefined> | undefined;

  /** @param own of one that only asks */
  constructor(
    private readonly temporal: Client,
    private readonly taskQueue: string,
    private readonly own?: Expected,
  ) {}

  /** LeadConduit's address, or `emulator`; undefined as long as no worker has been there, so that it is asked again.
   *  @throws {ConfigError} when it is another's, {TemporalUnavailable} */
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

  /** Before an onboard is started: a worker for another would take it. Whoever does not know for whom leaves that to the worker. */
  async claimForStart(): Promise<void> {
    if (this.own && (await this.upstream()) === undefined) await this.claim(this.own);
  }

  /** Before anything of the queue is taken. Of several that come at once, one writes the record, and the others read it.
   *  @throws {ConfigError} when it is another's, or may be, {TemporalUnavailable} */
  async claim(own: Expected): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const found = await this.find();
      if (found) this.assertOf(own, found.upstream);
      if (found?.isKept === true) return;
      if (!found && own.ground !== 'sure') await this.assertNobodys(own);
      // One that somebody has ended would be gone with the namespace's retention: it is written again.
      const isWritten = await this.write(own.upstream, found ? 'ALLOW_DUPLICATE' : 'REJECT_DUPLICATE');
      if (isWritten) return;
      if (tries === MOST_TRIES)
        throw new TemporalUnavailable(
          `Temporal neither shows nor takes the workflow ${recordIdOf(this.taskQueue)}, which says whose onboards it holds. ` +
            'Start this again; if that does not help, look at that workflow in Temporal.',
        );
    }
  }

  /** One that somebody has ended counts for as long as it can be described. */
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
        `no upstream. Delete it (\`temporal workflow delete --workflow-id ${workflowId}\`) if you know that nobody else's are there, ` +
        `or set ONBOARDS_TASK_QUEUE to another queue.`,
    );
  }

  /** False where another was faster. */
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
        // Nobody polls it; and as it never begins, no task ever waits there.
        taskQueue: workflowId,
        startDelay: `${START_DELAY_HOURS}h`,
        memo: { upstream },
        staticSummary: 'No onboard: it says whose onboards a task queue holds. Leave it as it is.',
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
      throw new TemporalUnavailable(`Temporal does not say whose onboards it holds (${details || message})`);
    }
  }

  private async assertNobodys({ ground, upstream, address }: Expected): Promise<void> {
    const all = listQuery(this.taskQueue);
    const count = async (query: string) => (await this.answered(() => this.temporal.workflow.count(query))).count;
    if ((await count(all)) === 0) return;
    // Those that no worker has begun yet are for whoever comes first, where the server was named.
    if (ground === 'named' && (await count(`${all} AND OnboardPhase != 'creating'`)) === 0) return;
    throw new ConfigError(
      `Temporal at ${address} holds onboards on task queue ${this.taskQueue} and does not say whose: they are older than that ` +
        `record, or it was deleted. Nothing was changed. Start the npm start that they belong to once, or a worker with ` +
        `TEMPORAL_ADDRESS=${address} and their LEADCONDUIT_API_KEY, which writes it; or, if you know that they are those of ` +
        `${named(upstream)}, write it yourself: ${this.commandFor(upstream, address)}`,
    );
  }

  /** In place of a record that is wrong, too. */
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

/** Before anything is started that would work on it. @throws {ConfigError} when it is another's, {TemporalUnavailable} */
export async function claimServer(settings: TemporalSettings, config: Config, isFolders: boolean): Promise<void> {
  const connection = await connectTemporal(settings, (options) => Connection.connect(options));
  try {
    const temporal = new Client({ connection, namespace: settings.namespace });
    await new Identity(temporal, config.taskQueue).claim(expectedByWorker(config, settings, isFolders));
  } finally {
    await connection.close();
  }
}
