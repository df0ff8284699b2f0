import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { OnboardView } from '../../onboard/view';
import { checkedIdToRead } from '../arguments';
import { EXIT } from '../exit';
import { toJson } from '../../visible';
import { narrator } from '../narrator';
import { print, withJson, withOnboards, type Output } from '../answering';
import { standardOutput } from '../terminal';

const POLL_MS = 500;

export function addWatch(program: Command): void {
  const command = program
    .command('watch')
    .description('Follow an onboard: a line for each change, until it is done or cancelled.')
    .argument('<id>', 'invitation or onboard');
  withJson(command)
    .addHelpText(
      'after',
      `
With --json, a line of JSON for each state. Attention does not end it. Ctrl-C ends it with exit code 130.`,
    )
    .action(async (given: string, output: Output) => {
      const id = checkedIdToRead(given);
      await withOnboards(output, async (onboards) => {
        const tell = output.json ? jsonLines() : narrator();
        for (;;) {
          const state = await onboards.get(id).state();
          const text = tell(state, standardOutput());
          if (text) print(text);
          if (state.phase === 'done' || state.phase === 'cancelled') return;
          await sleep(POLL_MS);
        }
      });
      process.exitCode = EXIT.done;
    });
}

/** Answers a line of JSON for each state that differs from the last one in more than the time of the query. */
function jsonLines() {
  let told = '';
  return (state: OnboardView): string | undefined => {
    const timeless = JSON.stringify({ ...state, as_of: undefined });
    if (timeless === told) return undefined;
    told = timeless;
    return toJson(state);
  };
}
