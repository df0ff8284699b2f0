import { Option, type Command } from 'commander';
import { retryCompletes, type OnboardView } from '../../onboard/view';
import type { Payload } from '../../onboard/parse-message';
import { checkedId, saidOf, text, withSaid, withWait, type Said } from '../arguments';
import { LINE_LENGTH } from '../../onboard/text';
import { followUp } from '../follow';
import { isInteractive } from '../input';
import { change, withJson, type Output } from '../answering';
import { examples } from '../hints';
import { askToComplete } from './advance';

type Choice = Payload<'resolve'>['action'];

interface Options extends Said, Output {
  action: Choice;
  attention?: string;
  onboardId?: string;
  wait: number;
  yes?: boolean;
}

export function addResolve(program: Command): void {
  const command = program
    .command('resolve')
    .description('Decide what an onboard that needs attention waits for; show tells what each decision does.')
    .argument('<id>', 'invitation or onboard')
    .addOption(
      new Option('--action <action>', 'retry: look, then send what is missing; adopt: it is there already')
        .choices(['retry', 'adopt'])
        .makeOptionMandatory(),
    )
    .option(
      '--onboard-id <id>',
      'the onboard to adopt, where there is not exactly one; of a retry: one that the list lacks and that is gone',
      checkedId,
    )
    .option(
      '--attention <id>',
      'the attention that is answered (default: the one that is open)',
      text('--attention', LINE_LENGTH),
    )
    .option('--yes', 'complete without being asked');
  withJson(withSaid(withWait(command, 'until it is settled')))
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
        const sent = await onboard.send({ name: 'resolve', ...answer, ...saidOf(options) });
        return followUp(onboards, sent, { wait, isReached: (state) => isSettled(state, action), done: 'Resolved.' });
      });
    });
}

/** No call is due or unknown. A retry may only look: until that is told of, nothing has come of it. */
const isSettled = ({ phase, timeline }: OnboardView, action: Choice) =>
  !['creating', 'updating', 'unknown'].includes(phase) &&
  !(action === 'retry' && timeline.at(-1)?.event === 'attention_cleared');
