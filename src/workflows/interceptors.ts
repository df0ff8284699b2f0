import type { ActivateInput, WorkflowInterceptorsFactory } from '@temporalio/workflow';
import { ASK_AGAIN } from './messages';

type Activation = ActivateInput['activation'];

const RESERVED = '__temporal_';

/**
 * Three things that the SDK leaves to nobody else:
 * - a query that has waited for a worker brings what has happened meanwhile (a timer fired, an activity ended) without a
 *   workflow task, hence with the time of the last one. What is decided by that clock comes out otherwise in a replay,
 *   and the run would be stuck for ever at its next worker. Time that stood still gives it away: the query fails, and
 *   what has happened comes once more, with a task of its own;
 * - a signal whose name has Temporal's reserved prefix would fail the workflow's task for ever, because there is a
 *   default signal handler: it is renamed, so that the handler refuses it like any other unknown name;
 * - a run that ends by our `cancel` message is to end as cancelled, as by Temporal's own cancel, so that the invitation
 *   may be started again: the SDK would fail a run that nobody cancelled through Temporal.
 */
export const interceptors: WorkflowInterceptorsFactory = () => {
  let last: string | undefined;
  /** Of a live activation that is no query; a replay's, which only follows a history, is never refused. */
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
          // Signals and the rest come as two batches of one activation.
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
