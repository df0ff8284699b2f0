import { withoutSecrets } from './secrets';
import { visible, visibleLines } from './visible';

type Kind = abstract new (...args: never[]) => Error;

/**
 * The text of an error for a terminal or a log, without secrets and without characters that control a terminal.
 * @param expected kinds whose message is enough; any other error is a bug, and is reported with its stack
 */
export function reportOf(error: unknown, ...expected: Kind[]): string {
  if (!(error instanceof Error)) return visible(withoutSecrets(String(error)));
  if (expected.some((kind) => error instanceof kind)) return visibleLines(withoutSecrets(error.message));
  // Only lines of the stack are kept: what somebody else wrote could look like lines of our own.
  const stack = (error.stack ?? error.name).split('\n').filter((line) => /^ {4}at /.test(line));
  const told = [visible(withoutSecrets(`${error.name}: ${error.message}`)), ...stack.map(visible)].join('\n');
  return error.cause === undefined ? told : `${told}\ncaused by ${reportOf(error.cause)}`;
}
