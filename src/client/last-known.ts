import type { WorkflowExecutionDescription, WorkflowExecutionInfo } from '@temporalio/client';
import type { OnboardView } from '../onboard/view';
import { isAbandoned, recordOf, rowOf } from './rows';

/** Why a run does not answer a query. */
export interface Silence {
  /** Its workflow task fails again and again; `words` is the failure's message, if known. */
  isStuck: boolean;
  words?: string;
}

type Run = Pick<
  WorkflowExecutionInfo,
  'workflowId' | 'status' | 'typedSearchAttributes' | 'startTime' | 'closeTime' | 'memo'
>;

/** What Temporal knows of an onboard when its run does not answer: its search attributes and its memo. */
export function lastKnown(run: Run, silence: Silence): OnboardView {
  const row = rowOf(run);
  const record = recordOf(run);
  return {
    invitation_id: row.invitation_id,
    label: row.label ?? undefined,
    requested_flow_id: row.flow_id ?? undefined,
    status: row.status,
    phase: row.phase,
    held: row.phase === 'held',
    record,
    waiting_for: {
      who: 'operator',
      text: [
        waitsFor(silence),
        'This is the last known state',
        // Older runs did not keep their record in the memo.
        record === null && row.onboard_id ? ` of onboard ${row.onboard_id}` : '',
        silence.isStuck ? '.' : '. Start a worker with `npm start` or `npm run worker`.',
      ].join(''),
    },
    since: row.since,
    attention: row.attention_code
      ? { id: '', code: row.attention_code, message: 'start a worker to see the details', since: row.since }
      : undefined,
    actions: [],
    ledger: [],
    timeline: [],
    as_of: new Date().toISOString(),
    stale: true,
  };
}

const waitsFor = ({ isStuck, words }: Silence) =>
  isStuck
    ? `a worker that can continue it: its workflow task fails again and again${words ? ` (${words})` : ''}. See its run on Temporal's web page. `
    : 'a worker: none is running. ';

/** Values of `PendingActivityState` in Temporal's API. */
const [SCHEDULED, PAUSED, PAUSE_REQUESTED] = [1, 4, 5];

/** Corrects `waiting_for`: the run knows that it scheduled a call, but only Temporal knows whether a worker has taken it. */
export function withCall(state: OnboardView, { raw }: Pick<WorkflowExecutionDescription, 'raw'>): OnboardView {
  const call = raw.pendingActivities?.[0];
  const stage = call?.state as number | null | undefined;
  if (state.waiting_for.who !== 'leadconduit') return state;
  if (stage === SCHEDULED)
    return {
      ...state,
      waiting_for: { who: 'time', text: 'a free worker; the call has not been sent yet' },
    };
  if (stage !== PAUSED && stage !== PAUSE_REQUESTED) return state;
  const text = 'somebody to unpause the call, which was paused in Temporal: `temporal activity unpause`';
  return { ...state, waiting_for: { who: 'operator', text } };
}

/** The state of a run that ended before its onboard was done: nobody follows it any more, whatever its last phase was. */
export function abandoned(state: OnboardView, { status }: Pick<Run, 'status'>, failure?: string): OnboardView {
  if (!isAbandoned({ status }) || (state.phase === 'cancelled' && !state.stale)) return state;
  const how =
    failure === undefined ? `is ${status.name.toLowerCase().replace('_', ' ')} in Temporal` : `failed (${failure})`;
  return {
    ...state,
    phase: 'cancelled',
    held: false,
    waiting_for: {
      who: 'nobody',
      text: `its run ${how}: nobody follows it any more. Start it again to go on: the new run looks first.`,
    },
    next: undefined,
    attention: undefined,
    actions: [],
  };
}
