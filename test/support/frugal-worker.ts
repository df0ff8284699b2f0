import { DefaultLogger, makeTelemetryFilterString, Runtime, Worker } from '@temporalio/worker';
import type { WorkflowCreator } from '@temporalio/worker/lib/workflow/interface';

Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } },
});

/** Passes the thread that runs the workflow code on to the file's next worker: starting one takes more CPU than most tests. */
export class FrugalWorker extends Worker {
  private static readonly idle: WorkflowCreator[] = [];
  private static isOver = false;

  protected static override async createWorkflowCreator(
    ...args: Parameters<typeof Worker.createWorkflowCreator>
  ): Promise<WorkflowCreator> {
    const thread = this.idle.pop() ?? (await super.createWorkflowCreator(...args));
    return {
      createWorkflow: (options) => thread.createWorkflow(options),
      destroy: async () => {
        if (this.isOver) await thread.destroy();
        else this.idle.push(thread);
      },
    };
  }

  /** Runs before the file's own `afterAll`, which may close a last world: from now on a worker that is closed ends its thread. */
  static async endThreads(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.idle.splice(0).map((thread) => thread.destroy()));
  }
}
afterAll(() => FrugalWorker.endThreads());
