import { resolve } from 'node:path';
import {
  Client,
  Connection,
  NamespaceNotFoundError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { listQuery } from '../client/rows';
import { ConfigError, type Config } from '../config';
import { isSameUpstream, named, ownerOf, settingsOf, upstreamOf } from '../upstream';
import { connectTemporal, TemporalUnavailable, type TemporalSettings } from './connection';

/**
 * Whose onboards a task queue holds is kept in the server, since every worker that polls the queue takes them, wherever it
 * runs. It is kept as a workflow execution that never begins, since a worker may start one where it may change nothing
 * else (Temporal Cloud), and since Temporal lets only one of several start the same id.
 */
const TYPE = 'onboardsUpstream';
export const recordIdOf = (taskQueue: string) => `onboards-upstream-${taskQueue}`;
/** The most that the server takes. */
const START_DELAY = '36500 days';
const ANSWER_MS = 5_000;
const MOST_TRIES = 3;

/** For whom a program is. */
export interface Own {
  upstream: string;
  /** How that is known. */
  because: string;
  /** Where it has found the server. */
  address: string;
  /** What to do where the server is `recorded`'s. */
  wayOut: (recorded: string) => string;
}

/** Of one that writes the record: a worker, or `npm start`. Without a key it is for the emulator, always. */
export function ownOfWorker(
  config: Config,
  { connectionOptions: { address } }: Pick<TemporalSettings, 'connectionOptions'>,
): Own {
  const upstream = upstreamOf(config);
  return {
    upstream,
    address,
    because: config.leadconduit.apiKey === undefined ? 'no LEADCONDUIT_API_KEY is set' : BY_KEY,
    wayOut: (recorded) =>
      `To work for ${named(recorded)}, set ${settingsOf(recorded)}; for ${named(upstream)}, set TEMPORAL_ADDRESS to another ` +
      `server, or TEMPORAL_NAMESPACE to one of its own.`,
  };
}

/** Of one that only asks: the CLI, the API. Undefined where a person has named the server: then it is for whom that is. */
export function ownOfClient(
  config: Config,
  { isConfigured, up, connectionOptions }: TemporalSettings,
): Own | undefined {
  const { address } = connectionOptions;
  const folder = resolve(config.dataDir);
  if (config.leadconduit.apiKey !== undefined)
    return {
      upstream: upstreamOf(config),
      address,
      because: BY_KEY,
      wayOut: (recorded) =>
        `To go on with ${named(recorded)}, set ${settingsOf(recorded)}; else set TEMPORAL_ADDRESS to the server of ` +
        `${upstreamOf(config)}, or ONBOARDS_DATA_DIR to the data folder of its npm start.`,
    };
  if (isConfigured) return undefined;
  const owner = up?.upstream ?? ownerOf(folder);
  return {
    upstream: owner ?? upstreamOf(config),
    address,
    because:
      owner === undefined
        ? `no LEADCONDUIT_API_KEY is set, and no npm start runs on the data folder ${folder}`
        : `the data folder ${folder} is of ${named(owner)}`,
    wayOut: (recorded) =>
      `Set ONBOARDS_DATA_DIR to the data folder of the npm start for ${named(recorded)}, or ` +
      `TEMPORAL_ADDRESS=${address} if this server is meant.`,
  };
}

const BY_KEY = 'LEADCONDUIT_API_KEY is set, for LEADCONDUIT_BASE_URL';

/** A namespace and a task queue of a server. */
export class Identity {
  private recorded: string | undefined;
  private asking: Promise<string | undefined> | undefined;

  /** @param own of one that only asks */
  constructor(
    private readonly temporal: Client,
    private readonly taskQueue: string,
    private readonly own?: Own,
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

  /** Before anything of the queue is taken. Of several that come at once, one writes the record, and the others read it.
   *  @param isGuess nobody has said that it is this server: one that was there before it could say whose it is stays untouched
   *  @throws {ConfigError} when it is another's, or may be, {TemporalUnavailable} */
  async claim(own: Own, isGuess = false): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const found = await this.find();
      if (found) this.assertOf(own, found.upstream);
      if (found?.isKept === true) return;
      if (!found && isGuess) await this.assertEmpty(own);
      // One that somebody has ended would be gone with the namespace's retention: it is written again.
      const isWritten = await this.write(own.upstream, found ? 'ALLOW_DUPLICATE' : 'REJECT_DUPLICATE');
      if (isWritten) return;
      if (tries === MOST_TRIES)
        throw new TemporalUnavailable(`Temporal neither shows nor takes the workflow ${recordIdOf(this.taskQueue)}`);
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
        startDelay: START_DELAY,
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

  private async assertEmpty({ upstream, address }: Own): Promise<void> {
    const { count } = await this.answered(() => this.temporal.workflow.count(listQuery(this.taskQueue)));
    if (count === 0) return;
    throw new ConfigError(
      `Temporal at ${address} holds onboards on task queue ${this.taskQueue} and does not say whose, since it is older than ` +
        `that record. Nothing was changed. Start the npm start or the worker that they belong to once, which writes it; or, if ` +
        `they are those of ${named(upstream)}, set TEMPORAL_ADDRESS=${address}.`,
    );
  }

  private assertOf({ upstream, because, address, wayOut }: Own, recorded: string): void {
    if (isSameUpstream(recorded, upstream)) return;
    throw new ConfigError(
      `Temporal at ${address} holds the onboards of ${named(recorded)} (it says so itself, in the workflow ` +
        `${recordIdOf(this.taskQueue)} of namespace ${this.temporal.options.namespace}), and this program is for ` +
        `${named(upstream)}: ${because}. Nothing was changed. ${wayOut(recorded)}`,
    );
  }
}

/** Before anything is started that would work on it. @throws {ConfigError} when it is another's, {TemporalUnavailable} */
export async function claimServer(settings: TemporalSettings, config: Config, isGuess = false): Promise<void> {
  const connection = await connectTemporal(settings, (options) => Connection.connect(options));
  try {
    const temporal = new Client({ connection, namespace: settings.namespace });
    await new Identity(temporal, config.taskQueue).claim(ownOfWorker(config, settings), isGuess);
  } finally {
    await connection.close();
  }
}
