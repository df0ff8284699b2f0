import assert from 'node:assert/strict';
import type { Outcome } from '../../src/onboard/outcome';
import type { Effect } from '../../src/onboard/lifecycle';
import type { OnboardView } from '../../src/onboard/view';
import type { TimelineEvent } from '../../src/onboard/journal';
import type { Message } from '../../src/onboard/parse-message';
import { ORDER } from './simulated-leadconduit';

export const nameOf = (message: Message) =>
  message.name === 'advance'
    ? `advance ${message.to}`
    : message.name === 'resolve'
      ? `resolve ${message.action}`
      : message.name;

const LINES: Record<Message['name'], TimelineEvent> = {
  advance: 'advance_asked',
  resolve: 'resolved',
  hold: 'held',
  release: 'released',
  cancel: 'cancel_asked',
  look: 'look_asked',
  note: 'note',
};
/** How many of the newest lines are always kept. */
const KEPT = 500;

/**
 * What an observer knows of a run who sees only its messages and what becomes of its calls, by the rules as people are told
 * them. From the code that is judged it takes where the onboard is said to stand, and none of its rules.
 */
export class Model {
  held = false;
  cancelled = false;
  ended = false;
  /** How far people asked it to go. */
  asked = 0;
  private record: string | undefined;
  /** The last call, and whether it may have taken effect. */
  private call: { effect: Effect; wasSent: boolean } = { effect: 'create', wasSent: false };
  /** Each key with the message that it was used for. */
  private readonly keys = new Map<string, string>();
  private attention: string | undefined;
  private readonly lines: { event: TimelineEvent; by?: string }[] = [{ event: 'started' }];

  /** What is to become of a message: a key acts once, and nothing acts that is not offered. */
  verdictOn(message: Message, state: OnboardView): 'accept' | 'nothing' | 'refuse' | 'repeat' {
    const used = message.key === undefined ? undefined : this.keys.get(message.key);
    if (used !== undefined) return used === JSON.stringify(message) ? 'repeat' : 'refuse';
    if (message.name === 'advance' && !this.cancelled && this.namesAnother(message.flow_id, state))
      return this.mayNameFlow(state) ? 'accept' : 'refuse';
    if (message.name === 'advance' && !this.cancelled && ORDER.indexOf(message.to) <= this.reached(state))
      return 'nothing';
    if (message.name === 'look') return this.ended || this.cancelled ? 'refuse' : 'accept';
    if (!this.offers(state).includes(nameOf(message))) return 'refuse';
    if (message.name !== 'resolve') return 'accept';
    const { attention, action, onboard_id } = message;
    const isStale = attention !== undefined && attention !== state.attention?.id;
    const isVague = action === 'adopt' && state.attention?.code === 'duplicate' && onboard_id === undefined;
    const isNamed = action === 'retry' && onboard_id !== undefined;
    return isStale || isVague || isNamed ? 'refuse' : 'accept';
  }

  said(message: Message, verdict: 'accept' | 'nothing' | 'refuse' | 'repeat'): void {
    const { by } = message;
    if (verdict === 'repeat') return;
    if (verdict === 'refuse') return void this.lines.push({ event: 'message_refused', by });
    this.lines.push({ event: LINES[message.name], by });
    if (message.key !== undefined) this.keys.set(message.key, JSON.stringify(message));
    if (verdict === 'nothing') return;
    if (message.name === 'hold' || message.name === 'release') this.held = message.name === 'hold';
    if (message.name === 'cancel') this.cancelled = true;
    if (message.name === 'advance') this.asked = Math.max(this.asked, ORDER.indexOf(message.to));
  }

  became(effect: Effect, { kind, ...outcome }: Outcome): void {
    if (effect !== this.call.effect) this.call = { effect, wasSent: false };
    const isAnswered = 'http_status' in outcome && outcome.http_status !== undefined;
    this.call.wasSent ||= kind === 'unknown' || kind === 'done' || isAnswered;
    if (kind === 'done') {
      const created = 'adopted' in outcome && outcome.adopted ? 'adopted' : 'created';
      this.lines.push({ event: effect === 'create' ? created : 'moved' });
    } else if (kind === 'unknown' || kind === 'refused') this.lines.push({ event: kind });
    else if (kind === 'not_sent' || kind === 'not_listed') {
      // The same again is folded into one line.
      if (this.lines.at(-1)?.event !== 'not_sent') this.lines.push({ event: 'not_sent' });
    }
  }

  /** @throws where the state is not what it must be. */
  compare(state: OnboardView): void {
    // Another onboard was taken in place of ours: its target must be set again.
    if (this.record !== undefined && this.record !== state.record?.id) {
      this.asked = 0;
      this.call.wasSent = false;
    }
    this.record = state.record?.id;
    if (state.attention && state.attention.id !== this.attention) this.lines.push({ event: 'attention' });
    this.attention = state.attention?.id;
    assert.equal(state.held, this.held);
    assert.deepEqual(state.actions, this.offers(state));
    this.compareLines(state.timeline);
  }

  /** Every line that must be there is, in its order; only what is older than the newest 500 may be missing, if it is counted. */
  private compareLines(shown: OnboardView['timeline']): void {
    const missing = [...this.lines];
    for (const { event, by } of shown.toReversed()) {
      const last = missing.at(-1);
      if (last?.event === event && last.by === by) missing.pop();
    }
    const isDropped = shown[0]?.event === 'dropped' && shown.length > KEPT;
    assert(missing.length === 0 || isDropped, `the timeline has lost "${missing.at(-1)?.event}"`);
  }

  private namesAnother(flow_id: string | undefined, { requested_flow_id, record, attention }: OnboardView): boolean {
    const isAsked = attention?.code === 'flow_conflict';
    return flow_id !== undefined && (isAsked || flow_id !== (requested_flow_id ?? record?.flow_id ?? undefined));
  }

  /** A flow may be named until `in_progress` has told it to LeadConduit. */
  private mayNameFlow({ status, record, ledger }: OnboardView): boolean {
    const wasTold = ledger.some(
      ({ effect, outcome }) => effect === 'in_progress' && !['not_sent', 'refused'].includes(outcome),
    );
    const isBefore = record === null || status === 'created';
    return !this.ended && !wasTold && isBefore;
  }

  private reached({ status }: OnboardView): number {
    return Math.max(this.asked, ORDER.indexOf(status ?? ''));
  }

  /** What may be done. */
  private offers(state: OnboardView): string[] {
    if (this.ended) return [];
    if (this.cancelled) return ['note'];
    const { attention, record, status } = state;
    const isOurs = record === null || ORDER.includes(status ?? '');
    const mayAdvance = (to: string) => isOurs && ORDER.indexOf(to) > this.reached(state);
    const { effect, wasSent } = this.call;
    const mayBeMoved = wasSent && effect !== 'create';
    const mayAdopt = (code: string) =>
      !['credentials', 'list_unreadable', 'not_sent'].includes(code) &&
      (mayBeMoved || !['failed_upstream', 'unexpected_status', 'not_listed'].includes(code));
    return [
      ...['in_progress', 'completed'].filter(mayAdvance).map((to) => `advance ${to}`),
      ...(attention ? ['resolve retry'] : []),
      ...(attention && mayAdopt(attention.code) ? ['resolve adopt'] : []),
      // There is nothing to hold back once it is completed.
      ...(this.held ? ['release'] : status === 'completed' ? [] : ['hold']),
      'cancel',
      'note',
    ];
  }
}
