import type { Look } from '../leadconduit/client';
import { OnboardRecord, type ListedOnboard } from '../leadconduit/schema';
import { hasReached, isStatus } from '../workflows/lifecycle';
import { Attempt } from './attempt';
import type { Deps } from './index';
import { lookThenAct, withErrors, type Act, type EffectInput } from './look-then-act';
import { lookResultOf, type Became, type LookResult, type Outcome, type SeenOnboard } from './outcomes';

/** What a look keeps of its time, to be able to say that there was none. */
const RETURN_MS = 1_000;
/** Characters of a record: one too large for Temporal to carry is not read at all. */
const MAX_RECORD = 64 * 1024;

export interface CreateInput extends EffectInput {
  flow_id?: string;
  /** Ids of onboards of this invitation that a person has ruled out. */
  ruled_out: string[];
}
export interface MoveInput extends CreateInput {
  onboard_id: string;
  to: 'in_progress' | 'completed';
}
export interface LookInput {
  invitation_id: string;
  /** An onboard that this deployment created: a list that shows it can be believed. */
  created_id?: string;
  /** The run was made by a reset. */
  is_reset?: boolean;
}

/** `POST /onboards`, unless LeadConduit's list shows an onboard for the invitation. */
export function createOnboard(deps: Deps, input: CreateInput): Promise<Outcome> {
  const { leadconduit, presence } = deps;
  return lookThenAct(deps, input, 'create', (look) => {
    const listed = standing(look, input);
    const [first] = listed;
    if (listed.length > 1) return { kind: 'duplicate', onboard_ids: listed.map(({ id }) => id) };
    if (first) return found(deps, first, (seen) => ({ kind: 'done', adopted: true, seen }));
    return async (permit) => {
      const body = { invitation_id: input.invitation_id, ...(input.flow_id && { flow_id: input.flow_id }) };
      const record = await leadconduit.createOnboard(body, permit);
      presence.add(record.id);
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
    // Ours is one of them also where the list does not show it.
    const ids = new Set([...listed, { id: input.onboard_id }].map(({ id }) => id.toLowerCase()));
    if (ids.size > 1) return { kind: 'duplicate', onboard_ids: [...ids] };
    return found(deps, own, (seen) => {
      if (!isStatus(seen.status)) return { kind: 'unexpected', seen };
      if (hasReached(seen.status, input.to)) return { kind: 'done', adopted: true, seen };
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

/** What the list shows of an invitation. Repeatable. */
export async function lookForOnboard(deps: Deps, input: LookInput): Promise<LookResult> {
  const { leadconduit, presence } = deps;
  if (input.created_id) presence.add(input.created_id);
  const attempt = new Attempt(RETURN_MS);
  return withErrors(async () => {
    const look = await leadconduit.look(attempt.sendUntil);
    const onboards: SeenOnboard[] = [];
    for (const listed of look.of(input.invitation_id)) {
      const record = readRecord(listed);
      if (!record) return { kind: 'unusable', words: `the record of onboard ${listed.id} cannot be read` };
      onboards.push(seenOf(deps, record));
    }
    const { runId: ran_in } = attempt;
    return { kind: 'seen', onboards, presence: presence.isShownBy(look), ran_in, after_reset: input.is_reset };
  }, lookResultOf);
}

const standing = (look: Look, { invitation_id, ruled_out }: CreateInput): ListedOnboard[] =>
  look.of(invitation_id).filter(({ id }) => !ruled_out.includes(id.toLowerCase()));

function found(deps: Deps, listed: ListedOnboard, then: (seen: SeenOnboard) => Became | Act): Became | Act {
  const record = readRecord(listed);
  if (record) return then(seenOf(deps, record));
  return { kind: 'not_sent', words: `the record of onboard ${listed.id} cannot be read`, unusable_look: true };
}

/** The record that is acted on is parsed in full. */
const readRecord = (listed: ListedOnboard): OnboardRecord | undefined =>
  JSON.stringify(listed).length > MAX_RECORD ? undefined : OnboardRecord.safeParse(listed).data;

/** The configured completing word is `completed` to us. */
const seenOf = ({ completedStatus }: Deps, record: OnboardRecord): SeenOnboard => ({
  record,
  status: record.status === completedStatus ? 'completed' : (record.status ?? ''),
});
