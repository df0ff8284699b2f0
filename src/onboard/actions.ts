/** What people can tell an onboard, and what is said about it in the command line, the console, our API and Temporal's web page. */
import { ruleOf, type AttentionCode } from './attention';
import type { OnboardRecord } from './outcome';

interface MessageRule {
  /** Shown on Temporal's web page, in our API's document and in the CLI's help. */
  does: string;
  /** The answer when the message was accepted. */
  accepted: string;
}

export const MESSAGES = {
  advance: {
    does: 'Let the onboard go on to in_progress or completed. Completing sets up delivery, e-mails the seller and cannot be undone.',
    accepted: 'Accepted: it goes on.',
  },
  resolve: {
    does: 'Answer the open attention. `show` says what each answer does.',
    accepted: 'Accepted: it goes on by your decision.',
  },
  hold: {
    does: 'Send nothing until it is released. A call that has been sent already is finished.',
    accepted: 'Held: nothing is sent until it is released.',
  },
  release: { does: 'Let an onboard that is held go on.', accepted: 'Released: it goes on.' },
  cancel: {
    does: 'Stop following the onboard. What is in LeadConduit stays there; a new start adopts it.',
    accepted: 'Accepted: the onboard is no longer followed once a call that is under way has ended.',
  },
  look: {
    does: "Look at LeadConduit's list now, and follow what it shows. Nothing is sent.",
    accepted: "Accepted: LeadConduit's list is looked at now.",
  },
  note: { does: 'Put a line into the timeline.', accepted: 'Noted.' },
} as const satisfies Record<string, MessageRule>;
export type MessageName = keyof typeof MESSAGES;
export const MESSAGE_NAMES = Object.keys(MESSAGES) as [MessageName, ...MessageName[]];

/** The part of an onboard that the meaning of an action depends on. */
type Shown = { attention?: { code: AttentionCode }; record: OnboardRecord | null };

interface ActionRule {
  /** What is sent. A field that the sender has to fill in holds some well-formed value. */
  message: { name: MessageName } & Record<string, string>;
  /** The label of its button. */
  title: string;
  /** What it does to this onboard. */
  meaning: string | ((onboard: Shown) => string);
  /** What follows the id on the command line. */
  options?: string;
}

/** What the view's `actions` may offer to people: a message, and the choice in it. */
export const ACTIONS = {
  'advance in_progress': {
    message: { name: 'advance', to: 'in_progress' },
    options: '--to in_progress',
    title: 'Move on to in_progress',
    meaning: 'go on to in_progress: the flow is known',
  },
  'advance completed': {
    message: { name: 'advance', to: 'completed' },
    options: '--to completed',
    title: 'Complete …',
    meaning: 'set up delivery, e-mail the seller: cannot be undone',
  },
  'resolve retry': {
    message: { name: 'resolve', action: 'retry' },
    options: '--action retry',
    title: 'Retry',
    meaning: ({ attention }) =>
      ({
        looks: 'look again, and follow what is there; nothing is sent',
        sends: 'look again, and send the call once more if it is missing',
        tries: 'look again, and send what is due',
      })[ruleOf(attention)?.retry ?? 'tries'],
  },
  'resolve adopt': {
    message: { name: 'resolve', action: 'adopt', onboard_id: '000000000000000000000000' },
    options: '--action adopt',
    title: 'Adopt',
    meaning: ({ attention, record }) => {
      if (attention?.code === 'duplicate') return 'keep the one that you name';
      if (attention?.code === 'flow_conflict') return 'go on with the flow of the record';
      return record ? 'say that the call took effect, as you have checked' : 'adopt the onboard that the list shows';
    },
  },
  hold: {
    message: { name: 'hold' },
    title: 'Hold',
    meaning: 'send nothing until released',
  },
  release: { message: { name: 'release' }, title: 'Release', meaning: 'go on' },
  cancel: {
    message: { name: 'cancel' },
    title: 'Cancel',
    meaning: 'stop following it; what is in LeadConduit stays',
  },
  note: {
    message: { name: 'note', text: 'text' },
    options: '"<text>"',
    title: 'Note',
    meaning: 'put a line into its timeline',
  },
} as const satisfies Record<string, ActionRule>;
export type Action = keyof typeof ACTIONS;
export const ACTION_NAMES = Object.keys(ACTIONS) as [Action, ...Action[]];

/** What an action does to this onboard. */
export function meaningOf(action: Action, onboard: Shown): string {
  const { meaning }: ActionRule = ACTIONS[action];
  return typeof meaning === 'string' ? meaning : meaning(onboard);
}
