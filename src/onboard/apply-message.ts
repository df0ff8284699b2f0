/**
 * The rules for messages: what each asks, whether it is accepted now, what it changes. Signals and updates share them;
 * a refused update fails its caller, a refused signal becomes a line in the timeline.
 */
import { hasReached, isStatus } from './lifecycle';
import type { Action, Advance, AttentionCode, OnboardState, Resolve } from '../workflows/messages';
import type { Message, Unreadable } from './parse-message';
import { clearAttention } from './raise-attention';
import { confirm } from './apply-outcome';
import { lastEntry, rememberKey, settleEntry, tell } from './journal';
import { gist, whyUsed } from './message-keys';
import { flowOf, type Onboard, sameId } from './state';

/** `repeat`: its key was used already, it succeeds and changes nothing. `nothing`: what it asks for is so already. */
export type Verdict = { kind: 'accept' | 'nothing' | 'repeat' } | { kind: 'refuse'; why: string };

const ACCEPT: Verdict = { kind: 'accept' };
const refuse = (why: string): Verdict => ({ kind: 'refuse', why });

/** Whether a message would be accepted now. */
export function judge(onboard: Onboard, message: Message | Unreadable): Verdict {
  if ('unreadable' in message) return refuse(message.unreadable);
  const used = message.key === undefined ? undefined : onboard.keys.find(({ key }) => key === message.key);
  if (used) return used.message === gist(message) ? { kind: 'repeat' } : refuse(whyUsed(used.message, message));
  if (onboard.ended && !(message.name === 'advance' && hasReached(onboard.status, message.to)))
    return refuse(
      onboard.ended === 'done' ? 'the onboard is completed' : 'the onboard is not followed any more: it was cancelled',
    );
  if (onboard.cancelling && message.name !== 'note') return refuse('it is being cancelled');
  switch (message.name) {
    case 'advance':
      return judgeAdvance(onboard, message);
    case 'resolve':
      return judgeResolve(onboard, message);
    case 'hold':
      if (onboard.held) return refuse('it is held already');
      return hasReached(onboard.status, 'completed')
        ? refuse('nothing is left to send: it has reached completed')
        : ACCEPT;
    case 'release':
      return onboard.held ? ACCEPT : refuse('it is not held');
    case 'look':
    case 'cancel':
    case 'note':
      return ACCEPT;
  }
}

function judgeAdvance(onboard: Onboard, { to, flow_id }: Advance): Verdict {
  const flow = onboard.requested_flow_id ?? onboard.record?.flow_id?.toLowerCase();
  const isConflict = onboard.attention?.code === 'flow_conflict';
  const newFlow = flow_id !== undefined && (flow_id !== flow || isConflict);
  if (newFlow && flowIsSent(onboard))
    return refuse(`its flow is ${flow ?? 'none'} and cannot be changed any more: in_progress was sent`);
  if (!newFlow && (hasReached(onboard.status, to) || hasReached(onboard.target, to))) return { kind: 'nothing' };
  if (onboard.record && !isStatus(onboard.status))
    return refuse(`it stands at "${onboard.status ?? ''}" upstream: resolve that first`);
  return ACCEPT;
}

/** `in_progress` is what tells LeadConduit the flow; until it may have been sent, the flow can be changed. */
const flowIsSent = (onboard: Onboard) =>
  hasReached(onboard.status, 'in_progress') ||
  onboard.ledger.some(
    ({ effect, outcome }) => effect === 'in_progress' && outcome !== 'not_sent' && outcome !== 'refused',
  );

/** Of the list by which the open attention was raised. */
const isLacked = ({ attention, lacked }: Onboard, id: string): boolean =>
  ['list_unreadable', 'absence_unproven'].includes(attention?.code ?? '') && lacked.includes(id);

function judgeResolve(onboard: Onboard, { action, attention, onboard_id }: Resolve): Verdict {
  const open = onboard.attention;
  if (!open) return refuse('it needs no attention: there is nothing to resolve');
  if (attention !== undefined && attention !== open.id)
    return refuse(`stale: it answers attention ${attention}, the one that is open is ${open.id} (${open.code})`);
  if (action === 'retry')
    return onboard_id === undefined || isLacked(onboard, onboard_id)
      ? ACCEPT
      : refuse("onboard_id names none that LeadConduit's list lacks: to look and send, name none");
  switch (open.code) {
    case 'credentials':
    case 'list_unreadable':
    case 'not_sent':
      return refuse(`nothing can be adopted while ${WHILE[open.code]}`);
    case 'duplicate':
      return onboard_id === undefined ? refuse('name the onboard to keep with onboard_id') : ACCEPT;
    case 'flow_conflict':
      return ACCEPT;
    case 'failed_upstream':
    case 'unexpected_status':
    case 'not_listed':
    case 'refused':
    case 'unknown_outcome':
    case 'absence_unproven':
      // What was never sent cannot have taken effect.
      return isCreating(onboard, open.code) || movedBy(onboard)
        ? ACCEPT
        : refuse('no call was sent whose effect could be adopted');
  }
}

const WHILE = {
  credentials: 'the key is refused',
  list_unreadable: 'the list cannot be relied on',
  not_sent: 'the call cannot be sent',
} as const;

/** Takes a message in. A refused one changes nothing but the timeline, an honest repeat nothing at all. */
export function receive(
  onboard: Onboard,
  message: Message | Unreadable,
  now: number,
  verdict = judge(onboard, message),
): void {
  if (verdict.kind === 'repeat') return;
  if ('unreadable' in message || verdict.kind === 'refuse') {
    const why = verdict.kind === 'refuse' ? verdict.why : '';
    const by = 'by' in message ? message.by : undefined;
    return tell(onboard, now, 'message_refused', { by, detail: `${message.name}: ${why}` });
  }
  if (message.key !== undefined) rememberKey(onboard, message.key, gist(message));
  const { by } = message;
  const reason = message.name === 'note' ? undefined : message.reason;
  switch (message.name) {
    case 'note':
      return tell(onboard, now, 'note', { by, detail: message.text });
    case 'hold':
      onboard.held = true;
      return tell(onboard, now, 'held', { by, reason });
    case 'look':
      tell(onboard, now, 'look_asked', { by, reason });
      return lookNow(onboard, now, message.onboard_ids);
    case 'release':
      onboard.held = false;
      return tell(onboard, now, 'released', { by, reason });
    case 'cancel':
      onboard.cancelling = true;
      return tell(onboard, now, 'cancel_asked', { by, reason });
    case 'advance':
      tell(onboard, now, 'advance_asked', {
        by,
        reason,
        detail: verdict.kind === 'nothing' ? `${message.to}: it is there already, or asked for` : message.to,
      });
      if (message.flow_id !== undefined) {
        if (message.flow_id !== onboard.requested_flow_id)
          tell(onboard, now, 'flow_set', { by, detail: message.flow_id });
        onboard.requested_flow_id = message.flow_id;
        // Whoever names a flow then has been shown the one that is there.
        if (onboard.attention?.code === 'flow_conflict') onboard.agreed_flow = flowOf(onboard);
        clearAttention(onboard, now, 'flow_conflict');
      }
      if (!hasReached(onboard.target, message.to)) onboard.target = message.to;
      return;
    case 'resolve':
      tell(onboard, now, 'resolved', {
        by,
        reason,
        detail: `${onboard.attention?.code ?? ''}: ${message.action}${message.onboard_id ? ` ${message.onboard_id}` : ''}`,
      });
      if (message.action === 'adopt') return adopt(onboard, message, now);
      // Somebody has seen in LeadConduit that it is not there any more: no list has to show it.
      if (message.onboard_id) onboard.gone = [...new Set([...onboard.gone, message.onboard_id])].slice(-GONE);
      return retry(onboard, now);
  }
}

/** A check that was due anyway comes after it. @param shown onboards of this invitation that a list has shown */
function lookNow(onboard: Onboard, now: number, shown?: string[]): void {
  const { check } = onboard;
  const next = check?.why === 'asked' ? check.next : check;
  onboard.check = { at: now, why: 'asked', failures: 0, unusable: 0, shown: shown ?? check?.shown, next };
}

const ORDERS: readonly AttentionCode[] = ['unknown_outcome', 'absence_unproven', 'refused'];

const GONE = 200;

/** Look again; where the effect was shown to be missing or refused, the person's order also acts again. */
function retry(onboard: Onboard, now: number): void {
  const { pursuit, attention, raised_in } = onboard;
  clearAttention(onboard, now);
  // Its existence was seen: what the list shows now is taken, and nothing is sent.
  if (attention?.code === 'duplicate' && onboard.record === null) {
    onboard.adoption = { at: now, failures: 0, unusable: 0, answers: attention };
    return;
  }
  if (!pursuit || attention?.code === 'failed_upstream' || attention?.code === 'unexpected_status') {
    return lookNow(onboard, now);
  }
  if (attention?.code === 'absence_unproven') pursuit.stage = 'due';
  Object.assign(pursuit, { at: now, failures: 0, unusable: 0, missing_since: undefined });
  // Only who was shown that the call may have been made can clear it.
  const isOrder = pursuit.stage === 'due' && attention !== undefined && ORDERS.includes(attention.code);
  if (isOrder) pursuit.cleared_in = raised_in;
}

/** The list is asked for the onboard that is there. */
const isCreating = ({ record }: Onboard, code: AttentionCode): boolean =>
  record === null && ['refused', 'unknown_outcome', 'absence_unproven'].includes(code);

/** The `PUT` that is, or was last, under way and that may have taken effect. */
function movedBy(onboard: Onboard): 'in_progress' | 'completed' | undefined {
  const { pursuit, record } = onboard;
  const last = lastEntry(onboard);
  const effect = pursuit?.effect ?? last?.effect;
  const wasSent = pursuit ? pursuit.acts > 0 : sameId(last?.onboard_id, record?.id);
  return wasSent && effect !== 'create' ? effect : undefined;
}

/** Of a create: take the one that is there. Of a `PUT`: it took effect, somebody checked. */
function adopt(onboard: Onboard, message: Resolve, now: number): void {
  const { attention } = onboard;
  if (!attention) return;
  clearAttention(onboard, now);
  if (attention.code === 'flow_conflict') {
    onboard.agreed_flow = flowOf(onboard);
    onboard.requested_flow_id = onboard.agreed_flow ?? undefined;
    return;
  }
  if (attention.code === 'duplicate' || onboard.record === null) {
    onboard.adoption = { at: now, failures: 0, unusable: 0, onboard_id: message.onboard_id, answers: attention };
    return;
  }
  const effect = movedBy(onboard);
  if (!effect) return;
  settleEntry(onboard, effect, now, {
    outcome: 'resolved',
    onboard_id: onboard.record.id,
    words: `${message.by ?? 'somebody'} says that it took effect`,
  });
  onboard.status = effect;
  onboard.furthest = effect;
  onboard.pursuit = undefined;
  // Somebody who has seen a failure, or that the list does not show it, has checked already.
  if (effect === 'completed' && !['failed_upstream', 'unexpected_status', 'not_listed'].includes(attention.code))
    confirm(onboard, now);
  tell(onboard, now, 'moved', { by: message.by, detail: `${effect}, as somebody checked` });
}

/** `look` is not among them: it is always accepted, and changes nothing of what is done. */
const OFFERS: [Action, Message][] = [
  ['advance in_progress', { name: 'advance', to: 'in_progress' }],
  ['advance completed', { name: 'advance', to: 'completed' }],
  ['resolve retry', { name: 'resolve', action: 'retry' }],
  ['resolve adopt', { name: 'resolve', action: 'adopt', onboard_id: '0'.repeat(24) }],
  ['hold', { name: 'hold' }],
  ['release', { name: 'release' }],
  ['cancel', { name: 'cancel' }],
  ['note', { name: 'note', text: 'text' }],
];

/** Exactly what would be accepted now, and change something. */
export const actionsOf = (onboard: Onboard): OnboardState['actions'] =>
  OFFERS.filter(([, message]) => judge(onboard, message).kind === 'accept').map(([action]) => action);
