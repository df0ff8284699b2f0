/** What people can tell an onboard. Everything that is said about a message, wherever it is said, comes from here. */
import type { AttentionCode } from './attention';
import type { OnboardRecord } from './outcome';

/** What each message does: on Temporal's web page, in our API's document and in the CLI's help. */
export const MESSAGES = {
  advance:
    'Let the onboard go on to in_progress or completed. Completing sets up delivery, e-mails the seller and cannot be undone.',
  resolve: 'Answer the attention that is open.',
  hold: 'Send nothing until it is released. A call that has been sent already is finished.',
  release: 'Let an onboard that is held go on.',
  cancel: 'Stop following the onboard. What is in LeadConduit stays there; a new start adopts it.',
  look: "Look at LeadConduit's list now, and follow what it shows. Nothing is sent.",
  note: 'Put a line into the timeline.',
} as const;
export type MessageName = keyof typeof MESSAGES;
export const MESSAGE_NAMES = Object.keys(MESSAGES) as [MessageName, ...MessageName[]];

/** What is shown of an onboard, as far as the meaning of an action depends on it. */
type Shown = { attention?: { code: AttentionCode }; record: OnboardRecord | null };

interface ActionRule {
  /** What is sent; a field that the sender has to fill in has some value that is well formed. */
  message: { name: MessageName } & Record<string, string>;
  /** On a button. */
  title: string;
  /** What it does to this onboard. */
  meaning: string | ((onboard: Shown) => string);
  /** What the console answers. */
  accepted: string;
}

/** What may be offered to people, as it stands in the state's `actions`: the message, and the choice in it. */
export const ACTIONS = {
  'advance in_progress': {
    message: { name: 'advance', to: 'in_progress' },
    title: 'Move on to in_progress',
    meaning: 'go on: the flow is known',
    accepted: 'Accepted: it goes on.',
  },
  'advance completed': {
    message: { name: 'advance', to: 'completed' },
    title: 'Complete …',
    meaning: 'set up delivery, e-mail the seller: cannot be undone',
    accepted: 'Accepted: it goes on.',
  },
  'resolve retry': {
    message: { name: 'resolve', action: 'retry' },
    title: 'Retry',
    meaning: 'look again, and send what is missing',
    accepted: 'Accepted: it goes on by your decision.',
  },
  'resolve adopt': {
    message: { name: 'resolve', action: 'adopt', onboard_id: '000000000000000000000000' },
    title: 'Adopt',
    meaning: ({ attention, record }) => {
      if (attention?.code === 'duplicate') return 'keep the one that you name';
      if (attention?.code === 'flow_conflict') return 'go on with the flow of the record';
      return record ? 'it took effect: you have checked' : 'take the onboard that is there';
    },
    accepted: 'Accepted: it goes on by your decision.',
  },
  hold: {
    message: { name: 'hold' },
    title: 'Hold',
    meaning: 'send nothing until released',
    accepted: 'Accepted: nothing is sent until it is released.',
  },
  release: { message: { name: 'release' }, title: 'Release', meaning: 'go on', accepted: 'Accepted: it goes on.' },
  cancel: {
    message: { name: 'cancel' },
    title: 'Cancel',
    meaning: 'stop following it; what is in LeadConduit stays',
    accepted: 'Accepted: it is not followed any more once a call that is out has ended.',
  },
  note: {
    message: { name: 'note', text: 'text' },
    title: 'Note',
    meaning: 'put a line into its timeline',
    accepted: 'Noted.',
  },
} as const satisfies Record<string, ActionRule>;
export type Action = keyof typeof ACTIONS;
export const ACTION_NAMES = Object.keys(ACTIONS) as [Action, ...Action[]];

/** What an action does to this onboard. */
export function meaningOf(action: Action, onboard: Shown): string {
  const { meaning }: ActionRule = ACTIONS[action];
  return typeof meaning === 'string' ? meaning : meaning(onboard);
}
