import type { ActivateInput, WorkflowInterceptorsFactory } from '@temporalio/workflow';
import { ASK_AGAIN } from './messages';

type Activation = ActivateInput['activation'];

const RESERVED = '__temporal_';

/**
 * Handles three cases that the SDK leaves open:
 * - A query that has waited for a worker brings along the events since the last workflow task (a timer fired, an
 *   activity ended), without a task of their own and with the time of the last one. A decision by that clock would come
 *   out differently in a replay, and no worker could continue the run. The unchanged time shows such an activation: it
 *   is refused, the query fails, and the events come again with their own task.
 * - A signal whose name has Temporal's reserved prefix would fail every workflow task, because there is a default
 *   signal handler. It is renamed, and the handler refuses it like any other unknown name.
 * - A run that ends by our `cancel` message must end as cancelled, as after Temporal's own cancel, so that the
 *   invitation can be started again. The SDK would fail the run, because nobody cancelled it through Temporal.
 */
export const interceptors: WorkflowInterceptorsFactory = () => {
  let last: string | undefined;
  /** Whether a live activation that is no query has the time of the one before. A replay's is never refused. */
  const hasStoodStill = ({ timestamp, isReplaying, jobs }: Activation) => {
    if (jobs?.some(({ queryWorkflow }) => queryWorkflow)) return false;
    const [before, time] = [last, JSON.stringify(timestamp)];
    last = time;
    return time === before && isReplaying !== true;
  };
  return {
    internals: [
      {
        activate(input, next) {
          // Signals and the rest of one activation come as two batches; only the first is checked.
          if (input.batchIndex === 0 && hasStoodStill(input.activation)) throw new Error(ASK_AGAIN);
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
  };
};
