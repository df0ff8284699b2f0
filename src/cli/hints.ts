import { span } from '../onboard/words';
import { ACTIONS, meaningOf, type Action, type MessageName } from '../onboard/actions';
import type { OnboardView } from '../onboard/view';

export const PROGRAM = 'npm run -s onboards --';

export const examples = (...commands: string[]) =>
  `\nExamples:\n${commands.map((command) => `  ${PROGRAM} ${command}`).join('\n')}`;

/** A time in the reader's own time zone. The Swedish format happens to be that of ISO 8601. */
export const time = (at: string) => new Date(at).toLocaleString('sv-SE');

export const inWords = (at: string, now: number) => {
  const ms = Date.parse(at) - now;
  return ms > 0 ? `in ${span(ms)} (${time(at)})` : 'now';
};

/** An action, as the command to type and what it does. */
export function commandFor(action: Action, state: OnboardView): [string, string] {
  const { invitation_id: id, attention } = state;
  return [`${PROGRAM} ${argumentsFor(action, id, attention)}`, meaningOf(action, state)];
}

function argumentsFor(action: Action, id: string, attention: OnboardView['attention']): string {
  const { message, options }: { message: { name: MessageName }; options?: string } = ACTIONS[action];
  const answers = message.name === 'resolve' ? `--attention ${attention?.id ?? ''}` : '';
  const chosen = action === 'resolve adopt' && attention?.code === 'duplicate' ? '--onboard-id <id>' : '';
  return [message.name, id, options, answers, chosen].filter(Boolean).join(' ');
}
