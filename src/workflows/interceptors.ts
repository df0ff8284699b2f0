import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';

const RESERVED = '__temporal_';

/**
 * Two things that the SDK leaves to nobody else:
 * - a signal whose name has Temporal's reserved prefix would fail the workflow's task for ever, because there is a
 *   default signal handler: it is renamed, so that the handler refuses it like any other unknown name;
 * - a run that ends by our `cancel` message is to end as cancelled, as by Temporal's own cancel, so that the invitation
 *   may be started again: the SDK would fail a run that nobody cancelled through Temporal.
 */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  internals: [
    {
      activate(input, next) {
        for (const { signalWorkflow } of input.activation.jobs ?? [])
          if (signalWorkflow?.signalName?.startsWith(RESERVED))
            signalWorkflow.signalName = `reserved:${signalWorkflow.signalName}`;
        next(input);
      },
      concludeActivation(input, next) {
        const { commands } = next(input);
        return {
          commands: commands.map((command) =>
            command.failWorkflowExecution?.failure?.canceledFailureInfo ? { cancelWorkflowExecution: {} } : command,
          ),
        };
      },
    },
  ],
});
