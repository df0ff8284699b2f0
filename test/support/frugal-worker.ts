import { DefaultLogger, makeTelemetryFilterString, Runtime, Worker } from '@temporalio/worker';
import type { WorkflowCreator } from '@temporalio/worker/lib/workflow/interface';

Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } },
});

/** Hands on the thread that runs the workflows' code to the next worker of the file: to start it takes more CPU than most tests. */
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

  /** Before the file's own `afterAll`, where a last world may be closed. */
  static async endThreads(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.idle.splice(0).map((thread) => thread.destroy()));
  }
}
afterAll(() => FrugalWorker.endThreads());
