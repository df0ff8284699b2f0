import type { Command } from 'commander';
import { checkedIdToRead } from '../arguments';
import { EXIT } from '../exit';
import { answer, withJson, type Output } from '../answering';
import { showText } from '../describe';
import { standardOutput } from '../terminal';

export function addShow(program: Command): void {
  const command = program
    .command('show')
    .description('Where an onboard stands, what it waits for, what may be done, what was sent, who did what.')
    .argument('<id>', 'invitation or onboard, in either case');
  withJson(command).action(async (given: string, options: Output) => {
    const id = checkedIdToRead(given);
    await answer(options, async (onboards) => {
      const state = await onboards.get(id).state();
      return { code: EXIT.done, json: state, text: showText(state, standardOutput()) };
    });
  });
}
