/** What people and programs are shown of an onboard. */
import { actionsOf } from './apply-message';
import type { AttentionCode, OnboardState, Phase, TimelineLine } from '../workflows/messages';
import { nextStep } from './next-step';
import { iso, lastEntry } from './journal';
import { nextEffect, type Onboard } from './state';

const OUT = {
  create: 'creating the onboard',
  in_progress: 'moving it to in_progress',
  completed: 'completing it',
} as const;

/** The first that applies, in the order of the contract. */
export function phaseOf(onboard: Onboard): Phase {
  const { pursuit } = onboard;
  if (onboard.ended) return onboard.ended;
  if (onboard.attention) return 'attention';
  if (pursuit?.stage === 'unknown' || onboard.adoption || onboard.check?.why === 'asked') return 'unknown';
  const effect = nextEffect(onboard);
  if (effect && (pursuit?.stage === 'out' || !onboard.held)) return effect === 'create' ? 'creating' : 'updating';
  if (onboard.held) return 'held';
  return onboard.status === 'completed' ? 'confirming' : 'waiting';
}

/** Notes since when the onboard has been in its phase; to be called after every change. */
export function datePhase(onboard: Onboard, now: number): void {
  const phase = phaseOf(onboard);
  if (phase !== onboard.phase) Object.assign(onboard, { phase, since: now });
}

export function view(onboard: Onboard, now: number): OnboardState {
  const phase = phaseOf(onboard);
  return {
    invitation_id: onboard.invitation_id,
    label: onboard.label,
    requested_flow_id: onboard.requested_flow_id,
    status: onboard.status,
    phase,
    held: onboard.held,
    record: onboard.record,
    waiting_for: waitingFor(onboard, phase, now),
    since: onboard.attention?.since ?? iso(onboard.since),
    next: nextOf(onboard, now),
    attention: onboard.attention,
    actions: actionsOf(onboard),
    ledger: onboard.ledger,
    timeline: [...dropped(onboard), ...onboard.timeline],
    as_of: iso(now),
    stale: false,
  };
}

/** A line in front that counts what is not kept any more. */
function dropped({ dropped: { timeline, ledger, keys }, timeline: [oldest] }: Onboard): TimelineLine[] {
  if (!oldest || timeline + ledger + keys === 0) return [];
  return [
    { at: oldest.at, event: 'dropped', detail: `older: ${timeline} lines, ${ledger} ledger entries, ${keys} keys` },
  ];
}

function waitingFor(onboard: Onboard, phase: Phase, now: number): OnboardState['waiting_for'] {
  const { pursuit } = onboard;
  const call = OUT[pursuit?.effect ?? nextEffect(onboard) ?? 'create'];
  switch (phase) {
    case 'done':
      return {
        who: 'nobody',
        text: 'completed: nothing is left to do here. The seller still has to switch the buyer step on in their flow.',
      };
    case 'cancelled':
      return { who: 'nobody', text: cancelledText(onboard) };
    case 'attention':
      return { who: 'operator', text: attentionText(onboard) };
    case 'unknown':
      if (pursuit?.stage !== 'unknown') return { who: 'time', text: "LeadConduit's list, to see what stands there" };
      return { who: 'time', text: `LeadConduit's list, to see whether ${call} took effect` };
    case 'creating':
    case 'updating':
      if (pursuit?.stage === 'out' && (onboard.held || onboard.cancelling))
        return {
          who: 'leadconduit',
          text: `what became of ${call}: it is called back, and only where it had been sent already does its outcome count`,
        };
      if (pursuit?.stage === 'out' || nextStep(onboard, now).do === 'act')
        return { who: 'leadconduit', text: `LeadConduit's answer to ${call}` };
      return { who: 'time', text: `the next try at ${call}${whyNotSent(onboard)}` };
    case 'held':
      return { who: 'operator', text: 'somebody to release it' };
    case 'confirming':
      return { who: 'time', text: 'one more look, whether the set-up at LeadConduit failed after all' };
    case 'waiting':
      return {
        who: 'operator',
        text: `somebody to say that it may go on to ${onboard.status === 'created' ? 'in_progress' : 'completed'}`,
      };
  }
}

/** What a person can do about an attention that goes away by itself once that is done. */
const MENDED: Partial<Record<AttentionCode, string>> = {
  credentials: 'somebody to mend the key for LeadConduit, after which it goes on by itself',
  list_unreadable: 'LeadConduit to be within reach, which somebody may have to mend; it then goes on by itself',
  not_sent: 'the call to get through, which somebody may have to see to; it then goes on by itself',
};

const attentionText = ({ attention }: Onboard) =>
  attention ? `${MENDED[attention.code] ?? 'a decision'}: ${attention.message}` : 'a decision';

function whyNotSent(onboard: Onboard): string {
  const { outcome, words } = lastEntry(onboard) ?? {};
  return outcome === 'not_sent' && words ? `. The last was not sent: ${words}` : '';
}

export function cancelledText({ record, ledger }: Onboard): string {
  if (!record && ledger.some(({ outcome }) => outcome === 'unknown'))
    return 'not followed any more. The outcome of a create call is unknown: it may be in LeadConduit; a new start looks first, and asks before it creates.';
  return record
    ? `not followed any more. Onboard ${record.id} stays in LeadConduit, where it cannot be deleted; a new start adopts it.`
    : 'not followed any more. Nothing is known to be in LeadConduit; a new start looks first.';
}

function nextOf(onboard: Onboard, now: number): OnboardState['next'] {
  if (onboard.ended || onboard.pursuit?.stage === 'out') return undefined;
  const step = nextStep(onboard, now);
  if (step.do !== 'wait' || step.until === undefined) return undefined;
  const effect = nextEffect(onboard);
  const what = step.then === 'act' && effect ? `try at ${OUT[effect]}` : "look at LeadConduit's list";
  return { what, at: iso(step.until) };
}
