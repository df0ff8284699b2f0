/**
 * The rules for messages: whether each is accepted now, and what it changes. Signals and updates share them; a refused
 * update fails its caller, a refused signal becomes a line in the timeline.
 */
import { ACTION_NAMES, ACTIONS, type Action, type MessageName } from './actions';
import { effectiveFlow, flowOf } from './flow';
import { log, rememberKey } from './journal';
import { hasReached, isStatus } from './lifecycle';
import { gist, whyUsed } from './message-keys';
import type { Message, Payload, Unreadable } from './parse-message';
import { clearAttention } from './raise-attention';
import { adoptNow, retryNow, validateResolve } from './resolve';
import { lookNow, type OnboardState } from './state';
import { ACCEPT, refuse, type Verdict } from './verdict';

interface Handler<Name extends MessageName> {
  /** Whether it would be accepted now. */
  validate?: (onboard: OnboardState, message: Payload<Name>) => Verdict;
  apply: (onboard: OnboardState, message: Payload<Name>, now: number, verdict: Verdict) => void;
}

const HANDLERS: { [Name in MessageName]: Handler<Name> } = {
  advance: {
    validate: validateAdvance,
    apply: (onboard, { to, flow_id, by, reason }, now, { kind }) => {
      const detail = kind === 'nothing' ? `${to}: this status is already reached or was already asked for` : to;
      log(onboard, now, 'advance_asked', { by, reason, detail });
      if (flow_id !== undefined) setFlow(onboard, flow_id, by, now);
      if (!hasReached(onboard.target, to)) onboard.target = to;
    },
  },
  resolve: {
    validate: validateResolve,
    apply: (onboard, message, now) => {
      const { action, onboard_id, by, reason } = message;
      const detail = `${onboard.attention?.code ?? ''}: ${action}${onboard_id ? ` ${onboard_id}` : ''}`;
      log(onboard, now, 'resolved', { by, reason, detail });
      if (action === 'adopt') adoptNow(onboard, message, now);
      else retryNow(onboard, message, now);
    },
  },
  hold: {
    validate: (onboard) => {
      if (onboard.held) return refuse('it is held already');
      return hasReached(onboard.status, 'completed')
        ? refuse('nothing is left to send: it has reached completed')
        : ACCEPT;
    },
    apply: (onboard, { by, reason }, now) => {
      onboard.held = true;
      log(onboard, now, 'held', { by, reason });
    },
  },
  release: {
    validate: ({ held }) => (held ? ACCEPT : refuse('it is not held')),
    apply: (onboard, { by, reason }, now) => {
      onboard.held = false;
      log(onboard, now, 'released', { by, reason });
    },
  },
  cancel: {
    apply: (onboard, { by, reason }, now) => {
      onboard.cancelling = true;
      log(onboard, now, 'cancel_asked', { by, reason });
    },
  },
  look: {
    apply: (onboard, { onboard_ids, by, reason }, now) => {
      log(onboard, now, 'look_asked', { by, reason });
      lookNow(onboard, now, { listed: onboard_ids });
    },
  },
  note: {
    apply: (onboard, { text, by }, now) => {
      log(onboard, now, 'note', { by, detail: text });
    },
  },
};
/** The compiler cannot see that a message and the handler of its name belong together. */
const handlerOf = ({ name }: Message) => HANDLERS[name] as Handler<MessageName>;

/** Whether a message would be accepted now. */
export function validate(onboard: OnboardState, message: Message | Unreadable): Verdict {
  if ('unreadable' in message) return refuse(message.unreadable);
  const used = message.key === undefined ? undefined : onboard.keys.find(({ key }) => key === message.key);
  if (used) return used.message === gist(message) ? { kind: 'repeat' } : refuse(whyUsed(used.message, message));
  if (onboard.ended && !(message.name === 'advance' && hasReached(onboard.status, message.to)))
    return refuse(
      onboard.ended === 'done' ? 'the onboard is completed' : 'the onboard is not followed any more: it was cancelled',
    );
  if (onboard.cancelling && message.name !== 'note') return refuse('it is being cancelled');
  return handlerOf(message).validate?.(onboard, message) ?? ACCEPT;
}

/** Takes a message in. A refused message only adds a line to the timeline, and a repeat changes nothing. */
export function applyMessage(
  onboard: OnboardState,
  message: Message | Unreadable,
  now: number,
  verdict = validate(onboard, message),
): void {
  if (verdict.kind === 'repeat') return;
  if ('unreadable' in message || verdict.kind === 'refuse') {
    const why = verdict.kind === 'refuse' ? verdict.why : '';
    const by = 'by' in message ? message.by : undefined;
    return log(onboard, now, 'message_refused', { by, detail: `${message.name}: ${why}` });
  }
  if (message.key !== undefined) rememberKey(onboard, message.key, gist(message));
  handlerOf(message).apply(onboard, message, now, verdict);
}

function validateAdvance(onboard: OnboardState, { to, flow_id }: Payload<'advance'>): Verdict {
  const flow = effectiveFlow(onboard);
  const isConflict = onboard.attention?.code === 'flow_conflict';
  const isNewFlow = flow_id !== undefined && (flow_id !== flow || isConflict);
  if (isNewFlow && isFlowSent(onboard))
    return refuse(`its flow is ${flow ?? 'none'} and cannot be changed any more: in_progress was sent`);
  if (!isNewFlow && (hasReached(onboard.status, to) || hasReached(onboard.target, to))) return { kind: 'nothing' };
  if (onboard.record && !isStatus(onboard.status))
    return refuse(`LeadConduit shows the status "${onboard.status ?? ''}": resolve that first`);
  return ACCEPT;
}

/** The flow can be changed until the call for in_progress may have been sent. */
const isFlowSent = (onboard: OnboardState): boolean =>
  hasReached(onboard.status, 'in_progress') ||
  onboard.ledger.some(
    ({ effect, outcome }) => effect === 'in_progress' && outcome !== 'not_sent' && outcome !== 'refused',
  );

function setFlow(onboard: OnboardState, flow: string, by: string | undefined, now: number): void {
  if (flow !== onboard.requested_flow_id) log(onboard, now, 'flow_set', { by, detail: flow });
  onboard.requested_flow_id = flow;
  // A person who names a flow in a conflict has seen the record's flow, so our call may replace it.
  if (onboard.attention?.code === 'flow_conflict') onboard.agreed_flow = flowOf(onboard);
  clearAttention(onboard, now, 'flow_conflict');
}

/** Exactly the actions that would be accepted now and would change something. */
export const actionsOf = (onboard: OnboardState): Action[] =>
  ACTION_NAMES.filter((action) => validate(onboard, ACTIONS[action].message).kind === 'accept');
