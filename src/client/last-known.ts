import type { OnboardState } from '../workflows/messages';
import { recordOf, rowOf } from './rows';

/** What Temporal knows of an onboard when no worker answers: its search attributes and its memo. */
export function lastKnown(
  run: Parameters<typeof rowOf>[0] & Parameters<typeof recordOf>[0],
  isStuck: boolean,
): OnboardState {
  const row = rowOf(run);
  return {
    invitation_id: row.invitation_id,
    label: row.label ?? undefined,
    requested_flow_id: row.flow_id ?? undefined,
    status: row.status,
    phase: row.phase,
    held: row.phase === 'held',
    record: recordOf(run),
    waiting_for: {
      who: 'operator',
      text: isStuck
        ? "a worker that can carry it on: its task fails again and again, see its run on Temporal's web page. This is the last that is known."
        : 'a worker: none is running. This is the last that is known; start one with `npm start` or `npm run worker`.',
    },
    since: row.since,
    attention: row.attention_code
      ? { id: '', code: row.attention_code, message: 'details are shown when a worker runs', since: row.since }
      : undefined,
    actions: [],
    ledger: [],
    timeline: [],
    as_of: new Date().toISOString(),
    stale: true,
  };
}
