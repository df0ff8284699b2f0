import { createInterface } from 'node:readline/promises';
import { setTimeout, clearTimeout } from 'node:timers';
import { text } from 'node:stream/consumers';
import { ConfigError } from '../config-error';

const SILENCE_MS = 2_000;

/** The ids in the arguments, else those on standard input. @throws {ConfigError} when there are none. */
export async function namedOrRead(named: string[]): Promise<string[]> {
  const isRead = named.includes('-') || (named.length === 0 && !process.stdin.isTTY);
  if (named.includes('-') && named.length > 1)
    throw new ConfigError('- stands for standard input: name no ids beside it');
  const ids = isRead ? (await read()).split(/[\s,]+/).filter(Boolean) : named;
  if (ids.length === 0)
    throw new ConfigError('No invitation id is given, neither as an argument nor on standard input');
  return ids;
}

/** Reads standard input. If that takes a while, a hint says so, since the user may not know what the command waits for. */
async function read(): Promise<string> {
  const hint = setTimeout(() => process.stderr.write('Reading invitation ids from standard input …\n'), SILENCE_MS);
  try {
    return await text(process.stdin);
  } finally {
    clearTimeout(hint);
  }
}

/** Whether a person is there to answer, even if standard output is redirected. */
export const isInteractive = () => process.stdin.isTTY && process.stderr.isTTY;

/** Asks on standard error, since standard output may be JSON. The end of input counts as a no. */
export async function confirmed(question: string): Promise<boolean> {
  const asked = createInterface({ input: process.stdin, output: process.stderr });
  asked.once('SIGINT', () => {
    asked.close();
    process.exit(130);
  });
  const closed = new Promise<string>((resolve) =>
    asked.once('close', () => {
      process.stderr.write('\n');
      resolve('');
    }),
  );
  try {
    return /^y(es)?$/i.test((await Promise.race([asked.question(`${question} [yes/no] `), closed])).trim());
  } finally {
    asked.removeAllListeners('close');
    asked.close();
  }
}
