import { Option, type Command } from 'commander';
import { retryCompletes, type OnboardView } from '../../onboard/view';
import { MESSAGES } from '../../onboard/actions';
import type { Payload } from '../../onboard/parse-message';
import { checkedId, attributionOf, text, withAttribution, withWait, type Attribution } from '../arguments';
import { LINE_LENGTH } from '../../onboard/text';
import { followUp } from '../follow';
import { isInteractive } from '../standard-input';
import { change, withJson, type Output } from '../answering';
import { examples } from '../hints';
import { askToComplete } from './advance';

type Choice = Payload<'resolve'>['action'];

interface Options extends Attribution, Output {
  action: Choice;
  attention?: string;
  onboardId?: string;
  wait: number;
  yes?: boolean;
}

export function addResolve(program: Command): void {
  const command = program
    .command('resolve')
    .description(MESSAGES.resolve.does)
    .argument('<id>', 'invitation or onboard')
    .addOption(
      new Option('--action <action>', 'retry: look, then send what is missing; adopt: it is there already')
        .choices(['retry', 'adopt'])
        .makeOptionMandatory(),
    )
    .option(
      '--onboard-id <id>',
      'with adopt: the onboard to adopt, needed unless there is exactly one; with retry: an onboard that the list lacks and that you know to be gone',
      checkedId,
    )
    .option(
      '--attention <id>',
      'the attention that is answered (default: the one that is open)',
      text('--attention', LINE_LENGTH),
    )
    .option('--yes', 'complete without confirmation');
  withJson(withAttribution(withWait(command, 'until it is settled')))
    .addHelpText(
      'after',
      examples(
        'resolve 64b8f0f5e4b0c3a1d5e6f7a8 --action retry --reason "the invitation is accepted now"',
        'resolve 64b8f0f5e4b0c3a1d5e6f7a8 --action adopt --onboard-id 5fd4371e940df5a34a3888b2',
      ),
    )
    .action(async (given: string, options: Options) => {
      const id = checkedId(given);
      const { action, wait, yes } = options;
      await change(options, async (onboards) => {
        const onboard = onboards.get(id);
        if (action === 'retry' && !yes && isInteractive()) {
          const before = await onboard.state();
          if (retryCompletes(before)) await askToComplete(onboards, before);
        }
        const answer = { action, attention: options.attention, onboard_id: options.onboardId };
        const sent = await onboard.send({ name: 'resolve', ...answer, ...attributionOf(options) });
        return followUp(onboards, sent, { wait, isReached: (state) => isSettled(state, action), done: 'Resolved.' });
      });
    });
}

/** No call is due or unknown. After a retry the look may still be under way: its result comes after `attention_cleared`. */
const isSettled = ({ phase, timeline }: OnboardView, action: Choice) =>
  !['creating', 'updating', 'unknown'].includes(phase) &&
  !(action === 'retry' && timeline.at(-1)?.event === 'attention_cleared');
