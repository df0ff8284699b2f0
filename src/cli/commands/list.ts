import { Option, type Command } from 'commander';
import { ATTENTION_CODES } from '../../onboard/attention';
import { PHASES } from '../../onboard/view';
import { duration } from '../arguments';
import { EXIT } from '../exit';
import { rowsText } from '../onboard-table';
import { answer, withJson, type Output } from '../answering';
import { standardOutput } from '../terminal';
import { examples, PROGRAM } from '../hints';

interface Options extends Output {
  status?: string;
  phase?: string;
  attention?: string | true;
  olderThan?: number;
}

export function addList(program: Command): void {
  const command = program
    .command('list')
    .description('All onboards, the oldest first.')
    .option('--status <status>', "created, in_progress, completed, or LeadConduit's own word")
    .addOption(new Option('--phase <phase>', 'only these').choices(PHASES))
    .addOption(
      new Option('--attention [code]', 'only what needs attention, for this or any reason').choices(ATTENTION_CODES),
    )
    .option('--older-than <age>', 'only what has been in its phase for longer', duration('--older-than', '3650d'));
  withJson(command)
    .addHelpText('after', '\nLists lag behind by a moment; show is exact.')
    .addHelpText('after', examples('list --attention', 'list --phase waiting --older-than 3d'))
    .action(async (options: Options) => {
      const { status, phase, attention, olderThan } = options;
      const isFiltered = [status, phase, attention, olderThan].some((filter) => filter !== undefined);
      await answer(options, async (onboards) => {
        const found = await onboards.lists.list({
          status,
          phase,
          attention: attention === true ? undefined : attention,
          since_before: olderThan === undefined ? undefined : new Date(Date.now() - olderThan),
        });
        const rows = attention === true ? found.filter(({ attention_code }) => attention_code !== null) : found;
        return {
          code: EXIT.done,
          json: rows,
          text: rows.length > 0 ? rowsText(rows, standardOutput()) : none(isFiltered),
        };
      });
    });
}

const none = (isFiltered: boolean) =>
  isFiltered
    ? `No onboard matches. To list all: ${PROGRAM} list`
    : `No onboards yet. To start one: ${PROGRAM} start <invitation_id>`;
