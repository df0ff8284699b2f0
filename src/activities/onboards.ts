import { LeadConduitError } from '../leadconduit/errors';
import type { Look, SendPermit } from '../leadconduit/client';
import { ListedOnboard, OnboardRecord } from '../leadconduit/schema';
import { hasReached, isStatus, type Effect } from '../workflows/lifecycle';
import { Attempt, RESERVE_MS } from './attempt';
import type { Deps } from './index';
import { lookResultOf, outcomeOf, type LookResult, type Outcome, type SeenOnboard } from './outcomes';

/** How long after its arrival an answer to a look may be relied on by a write. */
const FRESH_MS = 5_000;
/** What a look keeps of its time, to be able to say that there was none. */
const RETURN_MS = 1_000;

export interface CreateInput {
  invitation_id: string;
  flow_id?: string;
  /** Ids of onboards of this invitation that a person has ruled out. */
  ruled_out: string[];
  settle_ms: number;
}
export interface MoveInput extends CreateInput {
  onboard_id: string;
  to: 'in_progress' | 'completed';
}
export interface LookInput {
  invitation_id: string;
  /** An onboard that this deployment created: a list that shows it can be believed. */
  created_id?: string;
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
    if (listed.length > 1) return { kind: 'duplicate', onboard_ids: listed.map(({ id }) => id) };
    const own = listed.find(({ id }) => id.toLowerCase() === input.onboard_id.toLowerCase());
    if (!own) return { kind: 'not_listed', words: `LeadConduit's list does not show onboard ${input.onboard_id}.` };
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
      const record = OnboardRecord.safeParse(listed).data;
      if (!record) return { kind: 'unusable', words: `the record of onboard ${listed.id} cannot be read` };
      onboards.push(seenOf(deps, record));
    }
    return { kind: 'seen', onboards, presence: presence.isShownBy(look) };
  }, lookResultOf);
}

type Act = (permit: SendPermit) => Promise<Outcome>;

/** The one way in which anything is written upstream: `decide` by a fresh look, then act at once or not at all. */
async function lookThenAct(
  { leadconduit, writes, callMs, reserveMs }: Deps,
  { invitation_id, settle_ms }: CreateInput,
  effect: Effect,
  decide: (look: Look) => Outcome | Act,
): Promise<Outcome> {
  const attempt = new Attempt(callMs + (reserveMs ?? RESERVE_MS));
  for (;;) {
    const look = await withErrors(() => leadconduit.look(attempt.sendUntil), lookResultOf);
    const act = 'kind' in look ? notSeen(look) : decide(look);
    const isProof = typeof act !== 'function' && ['done', 'duplicate', 'unexpected'].includes(act.kind);
    if (attempt.hasEarlierRun && !isProof)
      return {
        kind: 'unknown',
        words: 'this attempt was made before and may have sent its call',
        may_send_for_ms: attempt.lengthMs,
      };
    if (typeof act !== 'function') return act;

    const blockedUntil = writes.blockedUntil(invitation_id, attempt.runId);
    if (blockedUntil !== undefined)
      return {
        kind: 'not_sent',
        words: 'a call of an earlier run for this invitation is under way, or was lost just now',
        retry_after_ms: Math.min(blockedUntil - Date.now(), settle_ms),
      };

    const gate = () => {
      if (attempt.isTooLate) return 'too little time was left for a whole call';
      attempt.mark();
      return undefined;
    };
    const placeUntil = Math.min((look as Look).arrivedAt + FRESH_MS, attempt.sendUntil);
    let outcome: Outcome | 'stale' | undefined;
    writes.begin(invitation_id, attempt.runId);
    try {
      outcome = await withErrors<Outcome, Outcome | 'stale'>(
        () => act({ placeUntil, gate }),
        (error) => (error.noPlace && !attempt.isTooLate ? 'stale' : outcomeOf(error, effect)),
      );
    } finally {
      const isSettled = outcome === 'stale' || (outcome !== undefined && outcome.kind !== 'unknown');
      writes.end(invitation_id, isSettled ? 0 : settle_ms);
    }
    if (outcome !== 'stale') return outcome;
  }
}

/** Answers, and failures of the LeadConduit client as values; anything else is a bug and goes up as it is: unknown. */
async function withErrors<T, E>(call: () => Promise<T>, asValue: (error: LeadConduitError) => E): Promise<T | E> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof LeadConduitError) return asValue(error);
    throw error;
  }
}

function notSeen(look: Exclude<LookResult, { kind: 'seen' }>): Outcome {
  if (look.kind === 'credentials') return look;
  return {
    kind: 'not_sent',
    words: `LeadConduit could not be looked at: ${look.words}`,
    retry_after_ms: look.retry_after_ms,
    unusable_look: true,
  };
}

const standing = (look: Look, { invitation_id, ruled_out }: CreateInput): ListedOnboard[] =>
  look.of(invitation_id).filter(({ id }) => !ruled_out.includes(id.toLowerCase()));

/** The record that is acted on is parsed in full. */
function found(deps: Deps, listed: ListedOnboard, then: (seen: SeenOnboard) => Outcome | Act): Outcome | Act {
  const record = OnboardRecord.safeParse(listed).data;
  if (record) return then(seenOf(deps, record));
  return { kind: 'not_sent', words: `the record of onboard ${listed.id} cannot be read`, unusable_look: true };
}

/** The configured completing word is `completed` to us. */
const seenOf = ({ completedStatus }: Deps, record: OnboardRecord): SeenOnboard => ({
  record,
  status: record.status === completedStatus ? 'completed' : (record.status ?? ''),
});
