import type { Command } from 'commander';
import { checkedId, attributionOf, text, withAttribution, withWait, type Attribution } from '../arguments';
import { MESSAGES, type MessageName } from '../../onboard/actions';
import { TEXT_LENGTH } from '../../onboard/text';
import { EXIT } from '../exit';
import { answerWith, follow } from '../follow';
import { change, withJson, type Output } from '../answering';

type Options = Attribution & Output;

/** Messages that need nothing but an id. */
const PLAIN = ['hold', 'release', 'look'] as const;

/** hold, release, look, cancel and note. */
export function addMessages(program: Command): void {
  for (const name of PLAIN)
    withJson(withAttribution(messageCommand(program, name))).action(async (given: string, options: Options) => {
      const id = checkedId(given);
      await change(options, async (onboards) => {
        const state = await onboards.get(id).send({ name, ...attributionOf(options) });
        return answerWith(state, EXIT.done, MESSAGES[name].accepted);
      });
    });
  addCancel(program);
  addNote(program);
}

const messageCommand = (program: Command, name: MessageName) =>
  program.command(name).description(MESSAGES[name].does).argument('<id>', 'invitation or onboard');

function addCancel(program: Command): void {
  const command = messageCommand(program, 'cancel');
  withJson(withAttribution(withWait(command, 'for a call under way and its outcome'))).action(
    async (given: string, options: Options & { wait: number }) => {
      const id = checkedId(given);
      await change(options, async (onboards) => {
        const sent = await onboards.get(id).send({ name: 'cancel', ...attributionOf(options) });
        const state = await follow(onboards, sent, options.wait, ({ phase }) => phase === 'cancelled');
        return answerWith(state, state.phase === 'cancelled' ? EXIT.done : EXIT.underWay, 'Cancelled.');
      });
    },
  );
}

function addNote(program: Command): void {
  const command = messageCommand(program, 'note').argument('<text...>', 'the note');
  withJson(withAttribution(command)).action(async (given: string, words: string[], options: Options) => {
    const id = checkedId(given);
    const { by, key, reason } = options;
    const note = text('The note', TEXT_LENGTH)(reason ? `${words.join(' ')} (${reason})` : words.join(' '));
    await change(options, async (onboards) => {
      return answerWith(
        await onboards.get(id).send({ name: 'note', text: note, by, key }),
        EXIT.done,
        MESSAGES.note.accepted,
      );
    });
  });
}
