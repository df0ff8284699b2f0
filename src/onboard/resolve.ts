/** A person's answer to an attention: look again and send what is missing (`retry`), or take what is there (`adopt`). */
import { ATTENTION, ruleOf } from './attention';
import { flowOf } from './flow';
import { sameId } from './ids';
import { lastEntry, log, settleEntry } from './journal';
import { EFFECTS, type Move } from './lifecycle';
import type { Payload } from './parse-message';
import { clearAttention } from './raise-attention';
import { scheduleConfirm } from './record';
import { scheduledAt } from './schedule';
import { lookNow, type OnboardState } from './state';
import { ACCEPT, refuse, type Verdict } from './verdict';

type Resolve = Payload<'resolve'>;

/** We keep this many ids of onboards that people know to be gone. */
const GONE = 200;

export function validateResolve(onboard: OnboardState, { action, attention, onboard_id }: Resolve): Verdict {
  const { attention: open, record } = onboard;
  if (!open) return refuse('it needs no attention: there is nothing to resolve');
  if (attention !== undefined && attention !== open.id)
    return refuse(`stale: it answers attention ${attention}, but the open one is ${open.id} (${open.code})`);
  if (action === 'retry')
    return onboard_id === undefined || isLacked(onboard, onboard_id)
      ? ACCEPT
      : refuse("onboard_id must name an onboard that LeadConduit's list lacks; to look again and send, leave it out");
  const { adopt } = ATTENTION[open.code];
  switch (adopt) {
    case 'one of several':
      return onboard_id === undefined ? refuse('name the onboard to keep with onboard_id') : ACCEPT;
    case 'flow':
      return ACCEPT;
    case 'effect':
    case 'seen effect':
      // A call that was never sent cannot have taken effect. For a create, the list is asked what is there.
      return record === null || movedBy(onboard) ? ACCEPT : refuse('no call was sent whose effect could be adopted');
    default:
      return refuse(`nothing can be adopted while ${adopt.refusedWhile}`);
  }
}

/** Whether the list that raised the open attention lacks this onboard. */
const isLacked = ({ attention, lacked }: OnboardState, id: string): boolean =>
  ruleOf(attention)?.isAboutTheList === true && lacked.includes(id);

/**
 * Looks again. If a retry `sends`, the person's order also sends the call, unless the look shows its effect. A retry that says
 * which onboard is gone is about the list, and orders nothing.
 */
export function retryNow(onboard: OnboardState, { onboard_id }: Resolve, now: number): void {
  const { operation, attention } = onboard;
  // A person has seen that this onboard is gone from LeadConduit, so no list has to show it.
  if (onboard_id) onboard.gone = [...new Set([...onboard.gone, onboard_id])].slice(-GONE);
  clearAttention(onboard, now);
  // Several onboards were seen and none is known as ours: adopt what the list shows now, and send nothing.
  if (attention?.code === 'duplicate' && onboard.record === null) {
    onboard.adoption = { ...scheduledAt(now), answers: attention };
    return;
  }
  const retry = onboard_id === undefined ? ruleOf(attention)?.retry : 'tries';
  if (!operation || retry === 'looks')
    return lookNow(onboard, now, attention?.code === 'duplicate' ? { offered: onboard.offered } : {});
  if (retry === 'sends') operation.stage = 'due';
  Object.assign(operation, scheduledAt(now), { missing_since: undefined });
  // The approval is the evidence that this person was shown.
  if (retry === 'sends') operation.approval = attention?.evidence;
}

/** The `PUT` that may have taken effect: the one under way, or else the last one. */
function movedBy({ operation, record, ...journal }: OnboardState): Move | undefined {
  const last = lastEntry(journal);
  const effect = operation?.effect ?? last?.effect;
  const wasSent = operation ? operation.possible_sends > 0 : sameId(last?.onboard_id, record?.id);
  return wasSent && effect !== 'create' ? effect : undefined;
}

/** After a create: adopts the onboard that is there. After a `PUT`: it took effect, as the person has checked. */
export function adoptNow(onboard: OnboardState, { onboard_id, by }: Resolve, now: number): void {
  const { attention, record } = onboard;
  if (!attention) return;
  clearAttention(onboard, now);
  const { adopt } = ATTENTION[attention.code];
  if (adopt === 'flow') {
    onboard.agreed_flow = flowOf(onboard);
    onboard.requested_flow_id = onboard.agreed_flow ?? undefined;
    return;
  }
  if (adopt === 'one of several' || record === null) {
    onboard.adoption = { ...scheduledAt(now), onboard_id, answers: attention };
    return;
  }
  const effect = movedBy(onboard);
  if (!effect) return;
  settleEntry(onboard, effect, now, {
    outcome: 'resolved',
    onboard_id: record.id,
    words: `${by ?? 'somebody'} says that it took effect`,
  });
  onboard.status = EFFECTS[effect].reaches;
  onboard.furthest = EFFECTS[effect].reaches;
  onboard.operation = undefined;
  if (effect === 'completed' && adopt !== 'seen effect') scheduleConfirm(onboard, now);
  log(onboard, now, 'moved', { by, detail: `${effect}, as somebody checked` });
}
