import { withoutSecrets } from './secrets';
import { visible, visibleLines } from './visible';

type Kind = abstract new (...args: never[]) => Error;

/**
 * What a program writes of an error, to a terminal or a log: without a secret, and with nothing that steers whoever reads it.
 * @param expected kinds whose words are enough; any other one is a bug, and is told with where it happened
 */
export function reportOf(error: unknown, ...expected: Kind[]): string {
  if (!(error instanceof Error)) return visible(withoutSecrets(String(error)));
  if (expected.some((kind) => error instanceof kind)) return visibleLines(withoutSecrets(error.message));
  // What somebody else wrote could look like lines of our own.
  const stack = (error.stack ?? error.name).split('\n').filter((line) => /^ {4}at /.test(line));
  const told = [visible(withoutSecrets(`${error.name}: ${error.message}`)), ...stack.map(visible)].join('\n');
  return error.cause === undefined ? told : `${told}\ncaused by ${reportOf(error.cause)}`;
}
