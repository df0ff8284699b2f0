import { Client, Connection } from '@temporalio/client';
import type { Config } from '../config';
import type { Environment } from '../environment';
import { workflowIdOf } from '../onboard/ids';
import type { Policy } from '../onboard/input';
import { attemptMsFor } from '../onboard/time-budget';
import { connectTemporal, temporalSettings } from '../temporal/connection';
import { Identity } from '../temporal/identity';
import { expectedByClient, type Expected } from '../temporal/expected-upstream';
import { withSettingsOf } from '../temporal/up-file';
import { OnboardHandle } from './handle';
import { Lists } from './lists';
import { ANSWER_MS, Runs } from './runs';
import { Starts } from './start';
import { within } from './temporal-errors';

export type { OnboardHandle } from './handle';
export { OnboardsError } from './onboards-error';
export type { Filters, Row, RowWithRecord } from './rows';
export type { StartRequest } from './start';

/** The typed client for onboards. Its callers need not know workflow ids, id policies or list filters. */
export class OnboardsClient extends Starts {
  readonly lists: Lists;

  /** @param own the upstream that this client is for; without it, whichever upstream the server is for */
  constructor(temporal: Client, settings: { taskQueue: string; policy: Partial<Policy> }, own?: Expected) {
    const { taskQueue } = settings;
    const runs = new Runs(temporal, taskQueue);
    super(temporal, settings, runs, new Identity(temporal, taskQueue, own));
    this.lists = new Lists(temporal, runs, taskQueue);
  }

  /** @throws {TemporalUnavailable}, {ConfigError} when the server is another upstream's */
  static async connect(config: Config, env: Environment): Promise<OnboardsClient> {
    const settings = temporalSettings(config, env);
    const connection = await connectTemporal(settings, (options) => Connection.connect(options));
    const own = expectedByClient(config, settings);
    const client = OnboardsClient.over(connection, settings.namespace, withSettingsOf(settings.up, config, env), own);
    try {
      await client.upstream();
      return client;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  static over(connection: Connection, namespace: string, config: Config, own?: Expected): OnboardsClient {
    const settings = { taskQueue: config.taskQueue, policy: policyOf(config) };
    return new OnboardsClient(new Client({ connection, namespace }), settings, own);
  }

  /** Whose onboards these are: LeadConduit's address, or `emulator`; undefined until the server has it on record.
   *  @throws {ConfigError} when they belong to another upstream than this client is for */
  upstream(): Promise<string | undefined> {
    return this.identity.upstream();
  }

  close(): Promise<void> {
    return this.temporal.connection.close();
  }

  /** @throws {OnboardsError} `temporal` when Temporal does not answer. */
  async ping(): Promise<void> {
    await within(this.temporal, ANSWER_MS, () => this.temporal.workflowService.getSystemInfo({}));
  }

  /**
   * One onboard. This asks nothing yet: an unknown id fails at the first request.
   * @param id the id of the invitation or of the onboard
   * @param signal ends the wait for an id that lists do not show yet
   */
  get(id: string, signal?: AbortSignal): OnboardHandle {
    return new OnboardHandle(this.temporal, this.runs, id, signal);
  }

  /** The address of the onboard's run on Temporal's web page. */
  runAddress(webPage: string, invitation: string): string {
    return `${webPage}/namespaces/${this.temporal.options.namespace}/workflows/${workflowIdOf(invitation)}`;
  }
}

/** The part of the configuration that a run takes at its start and keeps. */
export function policyOf({ settleMs, confirmMs, leadconduit: { timeoutMs } }: Config): Partial<Policy> {
  return { settle_ms: settleMs, confirm_ms: confirmMs, attempt_ms: attemptMsFor(timeoutMs) };
}
