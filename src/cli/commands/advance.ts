import { Option, type Command } from 'commander';
import type { OnboardsClient } from '../../client';
import { OnboardsError } from '../../client/onboards-error';
import { MESSAGES } from '../../onboard/actions';
import { MOVES } from '../../onboard/lifecycle';
import type { Payload } from '../../onboard/parse-message';
import type { OnboardView } from '../../onboard/view';
import { checkedId, attributionOf, withAttribution, withWait, type Attribution } from '../arguments';
import { isAt } from '../exit';
import { followUp } from '../follow';
import { confirmed, isInteractive } from '../standard-input';
import { change, whereOf, withJson, type Output } from '../answering';
import { visible } from '../../visible';
import { COMPLETING } from '../../onboard/words';
import { examples } from '../hints';

interface Options extends Attribution, Output {
  to: Payload<'advance'>['to'];
  flowId?: string;
  wait: number;
  yes?: boolean;
}

export function addAdvance(program: Command): void {
  const command = program
    .command('advance')
    .description(`${MESSAGES.advance.does} If in_progress has not been reached, completed goes through it first.`)
    .argument('<id>', 'invitation or onboard')
    .addOption(new Option('--to <status>', 'how far').choices(MOVES).makeOptionMandatory())
    .option('--flow-id <id>', 'sets the flow, as long as in_progress has not been sent', checkedId)
    .option('--yes', 'complete without confirmation');
  withJson(withAttribution(withWait(command, 'until the status is reached')))
    .addHelpText('after', `\n${COMPLETING} On a terminal you are asked first.`)
    .addHelpText(
      'after',
      examples(
        'advance 64b8f0f5e4b0c3a1d5e6f7a8 --to in_progress --flow-id 64b8f0f5e4b0c3a1d5e6f7ab',
        'advance 64b8f0f5e4b0c3a1d5e6f7a8 --to completed --yes --by ann --reason "ticket 4711"',
      ),
    )
    .action(async (given: string, options: Options) => {
      const id = checkedId(given);
      const { to, flowId: flow_id, wait, yes } = options;
      await change(options, async (onboards) => {
        if (to === 'completed' && !yes && isInteractive()) {
          const before = await onboards.get(id).state();
          if (!isAt(before, to)) await askToComplete(onboards, before);
        }
        const sent = await onboards.get(id).send({ name: 'advance', to, flow_id, ...attributionOf(options) });
        return followUp(onboards, sent, { wait, isReached: (state) => isAt(state, to), done: `It has reached ${to}.` });
      });
    });
}

/** @throws {OnboardsError} `refused` unless the answer is yes. */
export async function askToComplete(onboards: OnboardsClient, { label, invitation_id }: OnboardView): Promise<void> {
  const what = visible(label ?? invitation_id);
  if (!(await confirmed(`${COMPLETING}\n${await whereOf(onboards)}\nComplete ${what}?`)))
    throw new OnboardsError('refused', 'Nothing was sent.');
}
