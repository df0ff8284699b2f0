/** What people and programs are shown of an onboard. */
import type { Action } from './actions';
import { actionsOf } from './apply-message';
import { ruleOf, type Attention } from './attention';
import { iso, lastEntry, type LedgerEntry, type TimelineLine } from './journal';
import { EFFECTS, isStatus, nextMove, type Effect, type Status } from './lifecycle';
import { nextStep } from './next-step';
import type { OnboardRecord } from './outcome';
import { nextEffect, type OnboardState } from './state';

export const PHASES = [
  'done',
  'cancelled',
  'attention',
  'unknown',
  'creating',
  'updating',
  'held',
  'confirming',
  'waiting',
] as const;
export type Phase = (typeof PHASES)[number];

/** Whom an onboard waits for. */
export const PARTIES = ['operator', 'leadconduit', 'time', 'nobody'] as const;
export type Party = (typeof PARTIES)[number];

/** What the `state` query, our API and `show --json` answer. Times are RFC 3339. */
export interface OnboardView {
  invitation_id: string;
  label?: string;
  requested_flow_id?: string;
  /** One of ours, the upstream's own word with `unexpected_status` / `failed_upstream`, or null before the record. */
  status: Status | (string & {}) | null;
  phase: Phase;
  held: boolean;
  /** LeadConduit's record, verbatim. */
  record: OnboardRecord | null;
  waiting_for: { who: Party; text: string };
  since: string;
  next?: { what: string; at: string };
  attention?: Attention;
  /** Exactly the actions that would be accepted now and would change something. */
  actions: Action[];
  ledger: LedgerEntry[];
  timeline: TimelineLine[];
  as_of: string;
  /** True if no worker answered and this is only the last known state. */
  stale: boolean;
}

/** The phase of the next step. A look that is only a check does not change it, unless somebody has asked for the look. */
export function phaseOf(onboard: OnboardState, now: number): Phase {
  const { ended, attention, operation, check, held } = onboard;
  if (ended) return ended;
  if (attention) return 'attention';
  if (check?.why === 'asked') return 'unknown';
  if (operation?.stage === 'in_flight') return operation.effect === 'create' ? 'creating' : 'updating';
  const step = nextStep({ ...onboard, check: undefined }, now);
  switch (step.do) {
    case 'act':
      return step.effect === 'create' ? 'creating' : 'updating';
    case 'look':
      return 'unknown';
    case 'wait':
      return held ? 'held' : 'waiting';
    case 'end':
      if (step.how === 'cancelled') return 'cancelled';
      return held ? 'held' : 'confirming';
  }
}

/** Notes when the phase began. Call it after every change. */
export function datePhase(onboard: OnboardState, now: number): void {
  const phase = phaseOf(onboard, now);
  if (phase !== onboard.phase) Object.assign(onboard, { phase, since: now });
}

export function view(onboard: OnboardState, now: number): OnboardView {
  const phase = phaseOf(onboard, now);
  const { attention } = onboard;
  return {
    invitation_id: onboard.invitation_id,
    label: onboard.label,
    requested_flow_id: onboard.requested_flow_id,
    status: onboard.status,
    phase,
    held: onboard.held,
    record: onboard.record,
    waiting_for: waitingFor(onboard, phase, now),
    since: attention?.since ?? iso(onboard.since),
    next: nextOf(onboard, now),
    attention: attention && publicPart(attention),
    actions: actionsOf(onboard),
    ledger: onboard.ledger,
    timeline: [...dropped(onboard), ...onboard.timeline],
    as_of: iso(now),
    stale: false,
  };
}

const publicPart = ({ id, code, message, since }: Attention): Attention => ({ id, code, message, since });

/** A first line that counts what was dropped. */
function dropped({ dropped: { timeline, ledger, keys }, timeline: [oldest] }: OnboardState): TimelineLine[] {
  if (!oldest || timeline + ledger + keys === 0) return [];
  return [
    { at: oldest.at, event: 'dropped', detail: `older: ${timeline} lines, ${ledger} ledger entries, ${keys} keys` },
  ];
}

function waitingFor(onboard: OnboardState, phase: Phase, now: number): OnboardView['waiting_for'] {
  const { operation, attention } = onboard;
  const call = EFFECTS[operation?.effect ?? nextEffect(onboard) ?? 'create'].doing;
  switch (phase) {
    case 'done':
      return {
        who: 'nobody',
        text: 'completed: nothing is left to do here. The seller still has to switch the buyer step on in their flow.',
      };
    case 'cancelled':
      return { who: 'nobody', text: cancelledText(onboard) };
    case 'attention':
      return { who: 'operator', text: `${ruleOf(attention)?.waitsFor ?? ''}: ${attention?.message ?? ''}` };
    case 'unknown':
      if (operation?.stage !== 'unknown') return { who: 'time', text: "LeadConduit's list, to see the current state" };
      return { who: 'time', text: `LeadConduit's list, to see whether ${call} took effect` };
    case 'creating':
    case 'updating':
      return waitingForCall(onboard, call, now);
    case 'held':
      return { who: 'operator', text: 'somebody to release it' };
    case 'confirming':
      return { who: 'time', text: 'one more look, to see whether the set-up in LeadConduit failed' };
    case 'waiting':
      return {
        who: 'operator',
        text: `somebody to say that it may go on to ${isStatus(onboard.status) ? (nextMove(onboard.status, 'completed') ?? '') : ''}`,
      };
  }
}

function waitingForCall(onboard: OnboardState, call: string, now: number): OnboardView['waiting_for'] {
  const isInFlight = onboard.operation?.stage === 'in_flight';
  if (isInFlight && (onboard.held || onboard.cancelling))
    return {
      who: 'leadconduit',
      text: `what became of ${call}: it is called back if it has not been sent yet, and followed to its outcome if it has`,
    };
  const step = nextStep(onboard, now);
  if (isInFlight || (step.do === 'act' && step.at <= now))
    return { who: 'leadconduit', text: `LeadConduit's answer to ${call}` };
  const { outcome, words } = lastEntry(onboard) ?? {};
  const why = outcome === 'not_sent' && words ? `. The last call was not sent: ${words}` : '';
  return { who: 'time', text: `the next try at ${call}${why}` };
}

export function cancelledText(onboard: OnboardState): string {
  const { record, ledger, operation, maybe_sent_before } = onboard;
  const isUnknown = (effect: Effect) => ledger.some((one) => one.effect === effect && one.outcome === 'unknown');
  const lost =
    operation && isUnknown(operation.effect) ? ` The outcome of ${EFFECTS[operation.effect].call} is unknown.` : '';
  if (record)
    return `not followed any more.${lost} Onboard ${record.id} stays in LeadConduit, where it cannot be deleted; a new start adopts it.`;
  if (isUnknown('create') || maybe_sent_before.includes('create'))
    return 'not followed any more. The outcome of a create call is unknown: the onboard may be in LeadConduit. A new start looks first, and asks a person before it creates.';
  return 'not followed any more. Nothing is known to be in LeadConduit; a new start looks first.';
}

/** What the onboard does next by itself, and when; undefined if nothing is scheduled. */
function nextOf(onboard: OnboardState, now: number): OnboardView['next'] {
  if (onboard.ended || onboard.operation?.stage === 'in_flight') return undefined;
  const step = nextStep(onboard, now);
  if (!('at' in step) || step.at <= now) return undefined;
  const what = step.do === 'act' ? `try at ${EFFECTS[step.effect].doing}` : "look at LeadConduit's list";
  return { what, at: iso(step.at) };
}

/** Whether a `resolve retry` may send the completing call, if the look before it does not show the effect. */
export function retryCompletes({ attention, ledger }: Pick<OnboardView, 'attention' | 'ledger'>): boolean {
  const last = ledger.at(-1);
  return attention !== undefined && last?.effect === 'completed' && last.outcome !== 'done';
}
