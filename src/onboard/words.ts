/** Texts for people that the command line and the console share. */
import { effectiveFlow } from './flow';
import { EVENTS, type LedgerEntry, type TimelineLine } from './journal';
import type { OnboardView, Party } from './view';

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

/** A duration in its largest whole unit: `3 days`, `1 hour`, or `a moment` below one second. */
export function span(ms: number): string {
  const unit = UNITS.find(([, size]) => ms >= size);
  if (!unit) return 'a moment';
  const count = Math.floor(ms / unit[1]);
  return `${count} ${unit[0]}${count === 1 ? '' : 's'}`;
}

export const WHO: Record<Party, string> = {
  operator: 'an operator',
  leadconduit: 'LeadConduit',
  time: 'time',
  nobody: 'nobody',
};

export const SELLER = 'The seller still has to switch the buyer step on in their flow.';

export const COMPLETING =
  "Completing makes LeadConduit set up delivery for the buyer and e-mail the seller's users. It cannot be undone.";

/** What is shown of an onboard besides its ids, status and phase. */
export interface Facts {
  /** Undefined if no worker answers: a line above the facts then says what it waits for. */
  waitsFor?: string;
  next: { text: string; at?: string };
  held?: string;
  flow: string | null;
}

export function factsOf(view: OnboardView): Facts {
  const { held, phase } = view;
  return {
    waitsFor: waitsForOf(view),
    next: nextOf(view),
    held: held && phase !== 'held' ? 'yes: nothing is sent until it is released' : undefined,
    flow: effectiveFlow(view),
  };
}

/** Leaves out the attention's message, which is shown apart. What is left to do after the end comes as `next`. */
function waitsForOf({ attention, stale, waiting_for: { who, text } }: OnboardView): string | undefined {
  if (who === 'nobody') return WHO.nobody;
  if (stale) return undefined;
  const message = `: ${attention?.message ?? ''}`;
  return `${WHO[who]}: ${attention && text.endsWith(message) ? text.slice(0, -message.length) : text}`;
}

function nextOf({ next, waiting_for, stale }: OnboardView): Facts['next'] {
  if (next) return { text: next.what, at: next.at };
  if (stale && waiting_for.who !== 'nobody') return { text: 'nothing until a worker can continue it' };
  switch (waiting_for.who) {
    case 'operator':
      return { text: 'nothing until somebody acts' };
    case 'leadconduit':
      return { text: 'what was sent is followed up until its outcome is known' };
    case 'time':
      return { text: 'it goes on by itself in a moment' };
    case 'nobody':
      return { text: waiting_for.text };
  }
}

/** What a line of the ledger says besides the call and its outcome. */
export const detailsOf = (
  { http_status, onboard_id, words }: LedgerEntry,
  { record }: Pick<OnboardView, 'record'>,
): string =>
  [http_status && `HTTP ${http_status}`, onboard_id && onboard_id !== record?.id && `onboard ${onboard_id}`, words]
    .filter(Boolean)
    .join(', ');

/** What happened, in a line of the timeline. */
export const happenedIn = ({ event, detail }: TimelineLine): string =>
  [EVENTS[event], detail].filter(Boolean).join(': ');
