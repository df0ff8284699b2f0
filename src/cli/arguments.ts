import { userInfo } from 'node:os';
import { Option, type Command } from 'commander';
import { parseDuration } from '../config';
import { ConfigError } from '../config-error';
import { HEX24 } from '../onboard/ids';
import { LINE_LENGTH, TEXT_LENGTH } from '../onboard/text';
import { SHOWS } from '../visible';

/** Checks that each id is 24 hexadecimal digits in either case. @throws {ConfigError} naming all that are not. */
export function checkedIds(ids: string[], soWhat = ' Nothing was sent.'): string[] {
  const bad = ids.filter((id) => !HEX24.test(id));
  if (bad.length === 0) return ids;
  const names = bad.map((id) => JSON.stringify(id.length > 60 ? `${id.slice(0, 60)}…` : id)).join(', ');
  throw new ConfigError(`Not an id (24 hexadecimal digits): ${names}.${soWhat}`);
}

export const checkedId = (id: string): string => checkedIds([id])[0]!;

/** For a command that only reads: its error does not say that nothing was sent. */
export const checkedIdToRead = (id: string): string => checkedIds([id], '')[0]!;

/** A duration in milliseconds. @throws {ConfigError} */
export const duration = (option: string, most: string) => (text: string) => {
  const ms = parseDuration(text);
  if (ms === undefined)
    throw new ConfigError(`${option} ${JSON.stringify(text)} is not a duration such as 500ms, 90s, 5m or 2d`);
  if (ms > (parseDuration(most) ?? 0)) throw new ConfigError(`${option} can be ${most} at most`);
  return ms;
};

/** Rejects a blank text, and one so long that the workflow would cut it. @throws {ConfigError} */
export const text = (name: string, most: number) => (value: string) => {
  if (!SHOWS.test(value)) throw new ConfigError(`${name} is empty`);
  if (value.length > most) throw new ConfigError(`${name} is longer than ${most} characters`);
  return value;
};
export interface Attribution {
  by: string;
  reason?: string;
  key?: string;
}

/** Options for who asks for a change and why, common to all commands that change something. */
export const withAttribution = (command: Command, key = 'makes a repeat safe: the same key acts once') =>
  command
    .option('--by <name>', 'who asks for it', text('--by', LINE_LENGTH), systemUser())
    .option('--reason <text>', 'why', text('--reason', TEXT_LENGTH))
    .option('--key <key>', key, text('--key', LINE_LENGTH));

/** Of a command's options, those that belong to every message. */
export const attributionOf = ({ by, reason, key }: Attribution): Attribution => ({ by, reason, key });

export const withWait = (command: Command, until: string) =>
  command.addOption(
    new Option('--wait <duration>', `how long to wait ${until}`)
      .argParser(duration('--wait', '1d'))
      .default(30_000, '30s'),
  );

function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container, a user may have a number but no name.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
