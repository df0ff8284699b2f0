import type { Command } from 'commander';
import type { OnboardsClient } from '../../client';
import type { OnboardView } from '../../onboard/view';
import { checkedId, checkedIds, text, withAttribution, withWait, type Attribution } from '../arguments';
import { LINE_LENGTH } from '../../onboard/text';
import { failureOf, outcomeCode, worst } from '../exit';
import { answerWith, waiting } from '../follow';
import { namedOrRead } from '../standard-input';
import { rowOfState, rowsText } from '../onboard-table';
import { change, complain, withJson, type Answer, type Output } from '../answering';
import { standardOutput, telling } from '../terminal';
import { examples } from '../hints';

interface Options extends Attribution, Output {
  flowId?: string;
  label?: string;
  wait: number;
}
const SAFE = 'not needed here: the invitation id already makes a start safe to repeat';
type Started = { code: number; state: OnboardView } | { code: number; error: unknown };
type Request = Parameters<OnboardsClient['start']>[0];

export function addStart(program: Command): void {
  const command = program
    .command('start')
    .description('Onboard the buyer of each invitation. Repeated, it finds the onboard that exists.')
    .argument('[invitation_id...]', 'invitation ids; without any, or with -, they are read from standard input')
    .option('--flow-id <id>', 'the flow of the buyer, if it is already known', checkedId)
    .option('--label <text>', 'a name for people, shown in lists', text('--label', LINE_LENGTH));
  withJson(withAttribution(withWait(command, 'until they are created'), SAFE))
    .addHelpText(
      'after',
      '\nFor several invitations, the exit code is the first of 1, 3, 4, 5, 6 that one of them has, or 0 if all are created.',
    )
    .addHelpText(
      'after',
      examples('start 64b8f0f5e4b0c3a1d5e6f7a8 --label "Acme Solar"', 'start --json --wait 2m < invitations.txt'),
    )
    .action(async (named: string[], options: Options) => {
      const ids = checkedIds(await namedOrRead(named));
      const { label, flowId: flow_id, by, reason, wait } = options;
      const requests = ids.map((invitation_id) => ({ invitation_id, flow_id, label, by, reason }));
      const [only, ...others] = requests;
      await change(options, async (onboards) => {
        const work = only && others.length === 0 ? startOne(onboards, only, wait) : startAll(onboards, requests, wait);
        return telling(waiting(wait), work);
      });
    });
}

async function startOne(onboards: OnboardsClient, request: Request, wait: number): Promise<Answer> {
  const { state, isNew } = await onboards.onboard(request, wait);
  return answerWith(state, outcomeCode(state, state.record !== null), isNew ? 'Created.' : 'It already exists.');
}

/** Starts a few at a time. Then many wait at once, for one deadline, since waiting costs Temporal less than starting. */
async function startAll(onboards: OnboardsClient, requests: Request[], wait: number): Promise<Answer> {
  const started = await inTurn(10, requests, (request) =>
    onboards.start(request).then(
      () => undefined,
      (error: unknown) => ({ code: failureOf(error).code, error }),
    ),
  );
  const deadline = Date.now() + wait;
  const all = await inTurn(100, requests, async (request, i): Promise<Started> => {
    const failed = started[i];
    if (failed) return failed;
    try {
      const state = await onboards.whenCreated(request, Math.max(0, deadline - Date.now()));
      return { state, code: outcomeCode(state, state.record !== null) };
    } catch (error) {
      return { code: failureOf(error).code, error };
    }
  });
  // Each failure gets a line on standard error.
  for (const each of all) if ('error' in each) complain(failureOf(each.error).line ?? '');
  const states = all.flatMap((each) => ('state' in each ? [each.state] : []));
  const text = rowsText(states.map(rowOfState), standardOutput());
  return { code: worst(all.map(({ code }) => code)), json: states.length > 0 ? states : undefined, text };
}

/** Runs `work` for each item, at most `atOnce` at a time. The results are in the order of the items. */
async function inTurn<T, R>(atOnce: number, items: T[], work: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const left = [...items.entries()].reverse();
  const worker = async () => {
    for (let next = left.pop(); next; next = left.pop()) results[next[0]] = await work(next[1], next[0]);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}
