import type { WorkflowExecutionInfo } from '@temporalio/client';
import type { AttentionCode } from '../onboard/attention';
import type { Phase } from '../onboard/view';
import type { OnboardRecord } from '../onboard/outcome';
import { ATTRIBUTE_KEYS } from '../workflows/search-attributes';
import { invitationIdOf } from '../onboard/ids';

/** A row of a list, read from search attributes, which lag behind by a moment. */
export interface Row {
  invitation_id: string;
  onboard_id: string | null;
  label: string | null;
  flow_id: string | null;
  status: string | null;
  phase: Phase;
  since: string;
  attention_code: AttentionCode | null;
}

/** A row with the record as LeadConduit showed it last. */
export interface RowWithRecord extends Row {
  record: OnboardRecord | null;
}

export interface Filters {
  status?: string;
  phase?: string;
  attention?: string;
  /** Only onboards that have been in their phase since before this. */
  since_before?: Date;
}

/** A run with one of these statuses ended before its onboard was done: nobody follows it, whatever its last phase was. */
const ENDED_OTHERWISE = ['TERMINATED', 'FAILED', 'TIMED_OUT', 'CANCELLED'];
export const isAbandoned = (run: Pick<WorkflowExecutionInfo, 'status'>) => ENDED_OTHERWISE.includes(run.status.name);

export function rowOf(
  run: Pick<WorkflowExecutionInfo, 'workflowId' | 'status' | 'typedSearchAttributes' | 'startTime' | 'closeTime'>,
): Row {
  const read = run.typedSearchAttributes;
  const keyword = (key: (typeof ATTRIBUTE_KEYS)['OnboardId']) => read.get(key) ?? null;
  const abandoned = isAbandoned(run);
  return {
    invitation_id: invitationIdOf(run.workflowId),
    onboard_id: keyword(ATTRIBUTE_KEYS.OnboardId),
    label: keyword(ATTRIBUTE_KEYS.OnboardLabel),
    flow_id: keyword(ATTRIBUTE_KEYS.OnboardFlowId),
    status: keyword(ATTRIBUTE_KEYS.OnboardStatus),
    phase: abandoned ? 'cancelled' : ((keyword(ATTRIBUTE_KEYS.OnboardPhase) ?? 'creating') as Phase),
    since: ((abandoned ? run.closeTime : read.get(ATTRIBUTE_KEYS.OnboardSince)) ?? run.startTime).toISOString(),
    attention_code: abandoned ? null : (keyword(ATTRIBUTE_KEYS.OnboardAttention) as AttentionCode | null),
  };
}

/** The record that the workflow put into its memo; null before there is one. */
export const recordOf = ({ memo }: Pick<WorkflowExecutionInfo, 'memo'>) =>
  (memo?.record ?? null) as OnboardRecord | null;

export const matches = (row: Row, { status, phase, attention, since_before }: Filters) =>
  (status === undefined || row.status === status) &&
  (phase === undefined || row.phase === phase) &&
  (attention === undefined || row.attention_code === attention) &&
  (since_before === undefined || row.since < since_before.toISOString());

/** The latest run of each invitation, in no order. */
export function newestRuns(runs: WorkflowExecutionInfo[]): WorkflowExecutionInfo[] {
  const byId = new Map<string, WorkflowExecutionInfo>();
  for (const run of runs) {
    const other = byId.get(run.workflowId);
    if (!other || other.startTime < run.startTime) byId.set(run.workflowId, run);
  }
  return [...byId.values()];
}
