import type { Look } from '../leadconduit/client';
import { readRecord, type ListedOnboard, type OnboardRecord } from '../leadconduit/schema';
import { hasReached, isNewer, isStatus, type Move, type Status } from '../onboard/lifecycle';
import { flowOf } from '../onboard/flow';
import { longestLag } from '../onboard/schedule';
import { attemptMsFor } from '../onboard/time-budget';
import { Attempt } from './attempt';
import type { Deps } from './deps';
import { lookThenAct, withErrors, type Act, type EffectInput } from './look-then-act';
import { lookResultOf } from './outcome-of-error';
import type { AttemptOutcome, LookResult, Outcome, SeenOnboard } from '../onboard/outcome';

/** The time in ms that a look keeps for reporting that it ran out of time. */
const RETURN_MS = 1_000;

export interface CreateInput extends EffectInput {
  flow_id?: string;
  /** Ids of onboards of this invitation that a person has ruled out. */
  ruled_out: string[];
}
export interface MoveInput extends CreateInput {
  onboard_id: string;
  to: Move;
  /** The furthest status and the record as we know them: what somebody else changed since is not overwritten. */
  furthest?: Status;
  known?: Pick<OnboardRecord, 'flow_id' | 'updated_at'>;
}
export interface LookInput {
  invitation_id: string;
  settle_ms: number;
  /** An onboard that this deployment created. A list that shows it can prove an absence. */
  created_id?: string;
  /** Onboards that the list showed once and that a person knows to be gone. */
  gone?: string[];
  /** The run was made by a reset. */
  is_reset: boolean;
}

/** `POST /onboards`, unless LeadConduit's list shows an onboard for the invitation. */
export function createOnboard(deps: Deps, input: CreateInput): Promise<Outcome> {
  const { leadconduit, trust } = deps;
  return lookThenAct(deps, input, 'create', (look) => {
    const listed = standing(look, input);
    const [first] = listed;
    if (listed.length > 1) return { kind: 'duplicate', onboard_ids: listed.map(({ id }) => id) };
    if (first) return found(deps, first, (seen) => ({ kind: 'done', adopted: true, seen }));
    return async (permit) => {
      const body = { invitation_id: input.invitation_id, ...(input.flow_id && { flow_id: input.flow_id }) };
      const record = await leadconduit.createOnboard(body, permit);
      trust.add(record.id);
      return { kind: 'done', adopted: false, seen: seenOf(deps, record) };
    };
  });
}

/** `PUT /onboards/{id}` with the record just read, unless the list shows that it has the status already. */
export function moveOnboard(deps: Deps, input: MoveInput): Promise<Outcome> {
  const { leadconduit, completedStatus } = deps;
  return lookThenAct(deps, input, input.to, (look) => {
    const listed = standing(look, input);
    const [own] = listed;
    if (!own) return { kind: 'not_listed', words: `LeadConduit's list does not show onboard ${input.onboard_id}.` };
    // Our own onboard counts even if the list does not show it.
    const ids = new Set([...listed, { id: input.onboard_id }].map(({ id }) => id.toLowerCase()));
    if (ids.size > 1) return { kind: 'duplicate', onboard_ids: [...ids] };
    return found(deps, own, (seen) => {
      if (!isStatus(seen.status)) return { kind: 'unexpected', seen };
      if (hasReached(seen.status, input.to)) return { kind: 'done', adopted: true, seen };
      const may_be_old = !isNewer(seen.record, input.known);
      if (input.furthest && !hasReached(seen.status, input.furthest)) return { kind: 'unexpected', seen, may_be_old };
      if (hasOtherFlow(input, seen.record)) return { kind: 'flow_changed', seen, may_be_old };
      return async (permit) => {
        const status = input.to === 'completed' ? completedStatus : input.to;
        const wanted = { ...seen.record, status, flow_id: input.flow_id ?? seen.record.flow_id };
        const answer = seenOf(deps, await leadconduit.putOnboard(seen.record.id, wanted, permit));
        if (hasReached(answer.status, input.to)) return { kind: 'done', adopted: false, seen: answer };
        return { kind: 'unknown', words: `answered with the status "${answer.status}"` };
      };
    });
  });
}

/** What the list shows of an invitation. It changes nothing and may be repeated. */
export async function lookForOnboard(deps: Deps, input: LookInput): Promise<LookResult> {
  const { leadconduit, trust } = deps;
  trust.forget(input.gone ?? []);
  if (input.created_id) trust.add(input.created_id);
  const attempt = new Attempt(RETURN_MS);
  const result = await withErrors<LookResult, LookResult>(async () => {
    const look = await leadconduit.look(attempt.sendUntil);
    const onboards: SeenOnboard[] = [];
    for (const listed of look.of(input.invitation_id)) {
      const record = readRecord(listed);
      if (!record) return { kind: 'unusable', words: `the record of onboard ${listed.id} cannot be read` };
      onboards.push(seenOf(deps, record));
    }
    const lacked = await trust.lackedBy(look, longestLag(input));
    return {
      ...{ kind: 'seen', onboards, proves_absence: trust.provesAbsence(look, lacked) },
      ...(lacked.length > 0 && { lacks: lacked.slice(0, 20) }),
      evidence: { run_id: attempt.runId, is_reset: input.is_reset },
    };
  }, lookResultOf);
  const isTooShort = attempt.lengthMs < 2 * leadconduit.timeoutMs + RETURN_MS;
  if (result.kind !== 'unusable' || !result.no_time || !isTooShort) return result;
  return { ...result, needs_ms: attemptMsFor(leadconduit.timeoutMs) };
}

/** Whether the record's flow is neither the one that was asked for nor the one that we know. */
function hasOtherFlow({ flow_id, known }: MoveInput, record: OnboardRecord): boolean {
  const now = flowOf({ record });
  return flow_id !== undefined && now !== flow_id && now !== flowOf({ record: known ?? null });
}

const standing = (look: Look, { invitation_id, ruled_out }: CreateInput): ListedOnboard[] =>
  look.of(invitation_id).filter(({ id }) => !ruled_out.includes(id.toLowerCase()));

function found(
  deps: Deps,
  listed: ListedOnboard,
  then: (seen: SeenOnboard) => AttemptOutcome | Act,
): AttemptOutcome | Act {
  const record = readRecord(listed);
  if (record) {
    // What the list shows once, it has to show from now on.
    deps.trust.add(record.id, { isListed: true, isOurs: false });
    return then(seenOf(deps, record));
  }
  return { kind: 'not_sent', words: `the record of onboard ${listed.id} cannot be read`, unusable_look: true };
}

/** The configured completing word is `completed` to us. */
const seenOf = ({ completedStatus }: Deps, record: OnboardRecord): SeenOnboard => ({
  record,
  status: record.status === completedStatus ? 'completed' : (record.status ?? ''),
});
