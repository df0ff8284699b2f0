import { Command } from 'commander';
import { addAdvance } from './commands/advance';
import { addList } from './commands/list';
import { addMessages } from './commands/steer';
import { addResolve } from './commands/resolve';
import { addShow } from './commands/show';
import { addStart } from './commands/start';
import { addWatch } from './commands/watch';
import { EXIT_HELP } from './exit';
import { examples, PROGRAM } from './hints';

/** The command line and its help. The arguments are checked before anything is loaded or sent. */
export function program(): Command {
  const root = new Command(PROGRAM)
    .description('Onboards of LeadConduit: start them, see where they stand, step in.')
    // Errors go to standard error as one line from `failureOf`.
    .configureOutput({ outputError: () => undefined })
    .helpCommand('help [command]', 'the help of a command')
    .addHelpText('after', `\n<id> is an invitation or an onboard id, in either case.\n${EXIT_HELP}`)
    .addHelpText(
      'after',
      examples(
        'start 64b8f0f5e4b0c3a1d5e6f7a8',
        'show 64b8f0f5e4b0c3a1d5e6f7a8',
        'advance 64b8f0f5e4b0c3a1d5e6f7a8 --to in_progress',
      ),
    );
  for (const add of [addStart, addShow, addWatch, addList, addAdvance, addResolve, addMessages]) add(root);
  for (const command of [root, ...root.commands]) pointToHelp(command);
  return root;
}

/** Adds to a usage error the command that shows the help. */
function pointToHelp(command: Command): void {
  const help = command.parent ? `${PROGRAM} ${command.name()} --help` : `${PROGRAM} --help`;
  command.exitOverride((error) => {
    if (error.exitCode !== 0) error.message += `${/[.)]$/.test(error.message) ? '' : '.'} See: ${help}`;
    throw error;
  });
}
