import type { LookResult, Outcome, SeenOnboard } from '../../src/onboard/outcome';
import type { Effect } from '../../src/onboard/lifecycle';
import type { OnboardState } from '../../src/onboard/state';

export const SETTLE = 1_000;
/** How long an attempt may send, ms; another run cannot know that it no longer does. */
export const ATTEMPT = 3 * SETTLE;
/** The least time from one try to the next, ms. */
export const BACKOFF = 100;
export const ORDER = ['created', 'in_progress', 'completed'];
export const INVITATION = 'a'.repeat(24);
export const FLOWS = ['f0', 'f1'].map((flow) => flow.padStart(24, '0'));

/** `late`: the call takes effect long after its answer was lost. `exists` and `refused after`: HTTP 409 and 422, although it
 *  took effect. `key after` and `too many after`: HTTP 401 and 429, although it took effect; it does so only if the list shows
 *  it within a settle time, or before the next try. */
export const FAULTS = [
  'none',
  'lost before',
  'lost after',
  'not sent',
  'refused',
  'refused after',
  'exists',
  'key',
  'key after',
  'too many',
  'too many after',
  'look',
  'late',
] as const;
/** `called back`: held or cancelled before its bytes leave. */
export type FaultName = (typeof FAULTS)[number] | 'called back';

/** An onboard of the account that the list has shown. A list that leaves out others leaves out this one, too. */
const CANARY = 'c'.repeat(24);

/** A run of an onboard, of which Temporal may have several, one after another. */
export interface Run {
  id: string;
  isReset: boolean;
}

interface Change {
  status: string;
  flow: string | null;
  /** When the list begins to show it, epoch ms. */
  shownAt: number;
  byOthers?: boolean;
}

/** LeadConduit as a list and a clock, with the activities: what it has done, and when its list begins to show it. */
export class SimulatedLeadConduit {
  private readonly onboards: { id: string; agreedFlow: string | null; changes: Change[] }[] = [];
  /** A flow that somebody had set, and that nobody here had seen, was written over. */
  isFlowLost = false;
  /** Somebody else has changed an onboard: a status that goes back is then not our doing. */
  wasTakenBack = false;
  /** The list leaves out some of what there is. */
  isPartial = false;
  /** Creates of ours that took effect. */
  creates = 0;
  readonly completions = new Map<string, number>();
  /** Calls that were sent, of whatever kind. */
  sent = 0;

  constructor(
    private readonly lag: number,
    readonly presence = true,
  ) {}

  /** It lists what it did later than four settle times: then nobody can promise that there is only one onboard. */
  get isBeyond(): boolean {
    return this.lag > 4 * SETTLE;
  }

  list(now: number): SeenOnboard[] {
    if (this.isPartial) return [];
    return this.onboards.flatMap(({ id, changes }) => {
      const shown = changes.filter(({ shownAt }) => shownAt <= now).at(-1);
      return shown ? [seenOf(id, shown)] : [];
    });
  }

  /** Somebody changes the first onboard in LeadConduit itself. */
  change({ status, flow }: { status?: string; flow?: string | null }, now: number): void {
    const changes = this.onboards[0]?.changes;
    const last = changes?.at(-1);
    if (!changes || !last) return;
    this.wasTakenBack = true;
    const changed = { ...last, ...(status !== undefined && { status }), ...(flow !== undefined && { flow }) };
    changes.push({ ...changed, shownAt: now, byOthers: true });
  }

  /** The person who decides has seen this flow. */
  agreeOn(id: string, flow: string | null): void {
    for (const onboard of this.onboards) if (onboard.id === id) onboard.agreedFlow = flow;
  }

  /** The status of the first onboard now, whatever the list shows. */
  get latest(): string | null {
    return this.onboards[0]?.changes.at(-1)?.status ?? null;
  }

  has(status: string): boolean {
    return this.onboards.some(({ changes }) => changes.some((change) => change.status === status));
  }

  /** All is well again: the list is whole, and whoever made an onboard fail, or took its status back, has put it right. */
  mend(now: number): void {
    this.isPartial = false;
    const changes = this.onboards[0]?.changes ?? [];
    const furthest = Math.max(...changes.map(({ status }) => ORDER.indexOf(status)));
    if (changes.at(-1)?.byOthers) this.change({ status: ORDER[furthest] ?? 'created' }, now);
  }

  /** The list may show the onboard as it was before a change of ours. */
  private lagsBehind(id: string, now: number): boolean {
    const { changes = [] } = this.onboards.find((one) => one.id === id) ?? {};
    const shown = changes.findLastIndex(({ shownAt }) => shownAt <= now);
    return changes[shown]?.byOthers !== true && changes.some(({ shownAt, byOthers }) => !byOthers && shownAt > now);
  }

  /** LeadConduit has carried out an effect that its list does not show by then. */
  hides(effect: Effect, now: number): boolean {
    const status = effect === 'create' ? 'created' : effect;
    return this.onboards.some(({ changes }) =>
      changes.some((change) => change.status === status && (change.shownAt > now || this.isPartial)),
    );
  }

  make(now: number, flow: string | null = null): { id: string } {
    const id = String(this.onboards.length).padStart(24, 'b');
    this.onboards.push({ id, agreedFlow: flow, changes: [{ status: 'created', flow, shownAt: now }] });
    return { id };
  }

  /** @param shownAt when the list shows the effect. */
  private effect(effect: Effect, id: string | undefined, flow_id: string | undefined, shownAt: number): SeenOnboard {
    if (effect === 'create') {
      this.creates += 1;
      const { id: made } = this.make(shownAt, flow_id ?? null);
      return seenOf(made, { status: 'created', flow: flow_id ?? null });
    }
    const onboard = this.onboards.find((one) => one.id === id)!;
    const before = onboard.changes.at(-1)?.flow ?? null;
    const flow = flow_id ?? before;
    // An onboard without a flow may never have had one.
    this.isFlowLost ||= before !== null && before !== onboard.agreedFlow && flow !== before;
    onboard.agreedFlow = flow;
    onboard.changes.push({ status: effect, flow, shownAt });
    if (effect === 'completed') this.completions.set(onboard.id, (this.completions.get(onboard.id) ?? 0) + 1);
    return seenOf(onboard.id, { status: effect, flow });
  }

  /** What the activity does: it looks, then acts. */
  attempt(effect: Effect, onboard: OnboardState, { id, isReset }: Run, fault: FaultName, now: number): Outcome {
    const isUncleared =
      (isReset || onboard.maybe_sent_before.includes(effect)) && onboard.operation?.approval?.run_id !== id;
    if (fault === 'look') return { kind: 'not_sent', words: 'no list', unusable_look: true };
    return { ...this.became(effect, onboard, isUncleared, fault, now), evidence: { run_id: id, is_reset: isReset } };
  }

  private became(
    effect: Effect,
    { record, ruled_out, furthest, gone, operation, agreed_flow }: OnboardState,
    isUncleared: boolean,
    fault: FaultName,
    now: number,
  ): Outcome {
    const listed = this.list(now).filter((seen) => !ruled_out.includes(seen.record.id));
    if (listed.length > 1) return { kind: 'duplicate', onboard_ids: listed.map((seen) => seen.record.id) };
    if (record && listed[0] && listed[0].record.id !== record.id)
      return { kind: 'duplicate', onboard_ids: [listed[0].record.id, record.id] };
    const own = effect === 'create' ? listed[0] : listed.find((seen) => seen.record.id === record?.id);
    // An onboard that is there is adopted whatever its status; one with a status that is not ours is not moved.
    const isThere = own && (effect === 'create' || ORDER.indexOf(own.status) >= ORDER.indexOf(effect));
    if (isThere) return { kind: 'done', adopted: true, seen: own };
    if (own && !ORDER.includes(own.status)) return { kind: 'unexpected', seen: own };
    if (effect !== 'create' && !own) return { kind: 'not_listed', words: 'it is not listed' };
    if (own && furthest && ORDER.indexOf(own.status) < ORDER.indexOf(furthest))
      return { kind: 'unexpected', seen: own, may_be_old: this.lagsBehind(own.record.id, now) };
    const flow = own?.record.flow_id ?? null;
    const isOther = operation?.flow !== undefined && flow !== operation.flow && flow !== (agreed_flow ?? null);
    if (own && isOther) return { kind: 'flow_changed', seen: own, may_be_old: this.lagsBehind(own.record.id, now) };
    if (this.isPartial && !gone.includes(CANARY))
      return { kind: 'not_sent', words: 'a part of the list', unusable_look: true, lacks: [CANARY] };
    if (isUncleared) return { kind: 'unknown', words: 'an earlier run may have sent it', may_send_for_ms: ATTEMPT };
    if (fault === 'not sent') return { kind: 'not_sent', words: 'refused connection' };
    if (fault === 'called back') return { kind: 'not_sent', words: 'called back', called_back: true };
    this.sent += 1;
    const isListedSoon = this.lag < SETTLE - 20;
    if (fault === 'key' || (fault === 'key after' && !isListedSoon))
      return { kind: 'credentials', words: 'no', http_status: 401 };
    const tooMany: Outcome =
      effect === 'completed'
        ? { kind: 'unknown', words: 'too many', http_status: 429 }
        : { kind: 'not_sent', words: 'too many', http_status: 429 };
    const isListedTooLate = effect !== 'completed' && this.lag > BACKOFF - 20;
    if (fault === 'too many' || (fault === 'too many after' && isListedTooLate)) return tooMany;
    if (fault === 'refused') return { kind: 'refused', words: 'no', http_status: 422, look_first: false };
    if (fault === 'lost before') return { kind: 'unknown', words: 'reset' };
    const late = fault === 'late' ? 2 * SETTLE : 0;
    const seen = this.effect(effect, own?.record.id, operation?.flow, now + late + this.lag);
    if (fault === 'refused after') return { kind: 'refused', words: 'no', http_status: 422, look_first: false };
    if (fault === 'key after') return { kind: 'credentials', words: 'no', http_status: 401 };
    if (fault === 'too many after') return tooMany;
    if (fault === 'exists') return { kind: 'refused', words: 'it exists', http_status: 409, look_first: true };
    // The call may be under way at LeadConduit when the attempt is over, as long as the list shows it within four settle times.
    const underWay = Math.min(late, SETTLE, Math.max(0, 4 * SETTLE - this.lag - 20));
    if (fault === 'lost after' || late > 0)
      return { kind: 'unknown', words: 'reset', may_send_for_ms: late - underWay };
    return { kind: 'done', adopted: false, seen };
  }

  look({ id, isReset }: Run, { gone }: OnboardState, fault: FaultName, asked: number): LookResult {
    if (fault === 'look') return { kind: 'unusable', words: 'no list' };
    if (fault === 'key' || fault === 'key after') return { kind: 'credentials', words: 'no', http_status: 401 };
    const onboards = this.list(asked);
    const isPartial = this.isPartial && !gone.includes(CANARY);
    const lacks = isPartial ? { proves_absence: false, lacks: [CANARY] } : { proves_absence: this.presence };
    return { ...{ kind: 'seen', onboards, ...lacks }, evidence: { run_id: id, is_reset: isReset } };
  }
}

const seenOf = (id: string, { status, flow }: Pick<Change, 'status' | 'flow'>): SeenOnboard => ({
  status,
  record: { id, invitation_id: INVITATION, status, flow_id: flow },
});
