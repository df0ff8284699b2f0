import { WORKFLOW_TYPE } from '../onboard/ids';

/** Quotes a text for Temporal's list filters. */
export const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** Temporal's list filter for all our runs. Rows are filtered later, when the newest run of each is known: see `matches`. */
export const listQuery = (taskQueue: string) =>
  `WorkflowType = '${WORKFLOW_TYPE}' AND ExecutionStatus != 'ContinuedAsNew' AND TaskQueue = ${quoted(taskQueue)}`;
