import type { Command } from 'commander';
import { checkedId, saidOf, text, withSaid, withWait, type Said } from '../arguments';
import { TEXT_LENGTH } from '../../onboard/text';
import { EXIT } from '../exit';
import { answerWith, follow } from '../follow';
import { change, withJson, type Output } from '../answering';

type Options = Said & Output;

const PLAIN = [
  { name: 'hold', what: 'Send nothing until it is released. A call under way is finished first.', done: 'Held.' },
  { name: 'release', what: 'Let an onboard that is held go on.', done: 'Released.' },
] as const;

/** hold, release, cancel and note. */
export function addMessages(program: Command): void {
  for (const { name, what, done } of PLAIN)
    withJson(withSaid(program.command(name).description(what).argument('<id>', 'invitation or onboard'))).action(
      async (given: string, options: Options) => {
        const id = checkedId(given);
        await change(options, async (onboards) => {
          const state = await onboards.get(id).send({ name, ...saidOf(options) });
          return answerWith(state, EXIT.done, done);
        });
      },
    );
  addCancel(program);
  addNote(program);
}

function addCancel(program: Command): void {
  const command = program
    .command('cancel')
    .description('Stop following an onboard. What is in LeadConduit stays there; a new start adopts it.')
    .argument('<id>', 'invitation or onboard');
  withJson(withSaid(withWait(command, 'for a call under way and its outcome'))).action(
    async (given: string, options: Options & { wait: number }) => {
      const id = checkedId(given);
      await change(options, async (onboards) => {
        const sent = await onboards.get(id).send({ name: 'cancel', ...saidOf(options) });
        const state = await follow(onboards, sent, options.wait, ({ phase }) => phase === 'cancelled');
        return answerWith(state, state.phase === 'cancelled' ? EXIT.done : EXIT.underWay, 'Cancelled.');
      });
    },
  );
}

function addNote(program: Command): void {
  const command = program
    .command('note')
    .description('Put a line into the timeline of an onboard.')
    .argument('<id>', 'invitation or onboard')
    .argument('<text...>', 'the note');
  withJson(withSaid(command)).action(async (given: string, words: string[], options: Options) => {
    const id = checkedId(given);
    const { by, key, reason } = options;
    const note = text('The note', TEXT_LENGTH)(reason ? `${words.join(' ')} (${reason})` : words.join(' '));
    await change(options, async (onboards) => {
      return answerWith(await onboards.get(id).send({ name: 'note', text: note, by, key }), EXIT.done, 'Noted.');
    });
  });
}
