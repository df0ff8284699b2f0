/** The words for people, the same in the command line and in the console. */
import type { Action, LedgerEntry, OnboardState, TimelineEvent } from '../workflows/messages';

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

/** `3 days`, `1 hour`: as much as a person needs. */
export function span(ms: number): string {
  const unit = UNITS.find(([, size]) => ms >= size);
  if (!unit) return 'a moment';
  const count = Math.floor(ms / unit[1]);
  return `${count} ${unit[0]}${count === 1 ? '' : 's'}`;
}

export const WHO: Record<OnboardState['waiting_for']['who'], string> = {
  operator: 'an operator',
  leadconduit: 'LeadConduit',
  time: 'time',
  nobody: 'nobody',
};

export const SELLER = 'The seller still has to switch the buyer step on in their flow.';

export const COMPLETING =
  "Completing makes LeadConduit set up delivery for the buyer and e-mail the seller's users. It cannot be undone.";

export const CALL: Record<LedgerEntry['effect'], string> = {
  create: 'create',
  in_progress: 'move to in_progress',
  completed: 'complete',
};

export const LANDED: Record<LedgerEntry['outcome'], string> = {
  pending: 'no answer yet',
  done: 'landed',
  not_sent: 'not sent',
  refused: 'refused',
  unknown: 'UNKNOWN',
  adopted: 'landed',
  resolved: 'landed',
};

export const EVENT: Record<TimelineEvent, string> = {
  started: 'started',
  continued: 'went on in a new run',
  dropped: 'older lines dropped',
  created: 'created in LeadConduit',
  adopted: 'found in LeadConduit and taken over',
  moved: 'moved',
  not_sent: 'not sent',
  refused: 'LeadConduit refused',
  unknown: 'outcome unknown',
  absent: 'not there',
  repeated: 'repeated',
  checked: 'checked',
  attention: 'needs attention',
  attention_cleared: 'attention cleared',
  slow_look: 'the look was slow',
  look_asked: 'asked to look',
  advance_asked: 'asked to advance',
  flow_set: 'flow set',
  resolved: 'decided',
  held: 'held',
  released: 'released',
  cancel_asked: 'asked to cancel',
  note: 'note',
  message_refused: 'message refused',
  done: 'done',
  cancelled: 'cancelled',
};

/** What an action does. */
export function meaningOf(action: Action, { attention, record }: Pick<OnboardState, 'attention' | 'record'>): string {
  switch (action) {
    case 'advance in_progress':
      return 'go on: the flow is known';
    case 'advance completed':
      return 'set up delivery, e-mail the seller: cannot be undone';
    case 'resolve retry':
      return 'look again, and send what is missing';
    case 'resolve adopt':
      if (attention?.code === 'duplicate') return 'keep the one that you name';
      if (attention?.code === 'flow_conflict') return 'go on with the flow of the record';
      return record ? 'it took effect: you have checked' : 'take the onboard that is there';
    case 'hold':
      return 'send nothing until released';
    case 'release':
      return 'go on';
    case 'cancel':
      return 'stop following it; what is in LeadConduit stays';
    case 'note':
      return 'put a line into its timeline';
  }
}
