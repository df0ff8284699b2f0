import { CommanderError } from 'commander';
import { OnboardsError } from '../client/onboards-error';
import { ConfigError } from '../config-error';
import { withoutSecrets } from '../secrets';
import { visible } from '../visible';
import { hasReached, type Status } from '../onboard/lifecycle';
import type { OnboardView } from '../onboard/view';

export const EXIT = { done: 0, failed: 1, usage: 2, notFound: 3, refused: 4, attention: 5, underWay: 6 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_HELP = `
Exit codes:
  0  done
  1  failed: Temporal or the network failed, or no worker answered
  2  wrong usage, id or setting
  3  no such onboard
  4  refused or in conflict: nothing was changed
  5  accepted, and the onboard now needs attention
  6  accepted, and still under way when the wait ended
130  interrupted with Ctrl-C; what was accepted goes on`;

/** Exit codes by urgency. Of several codes, the first in this order is the one to act on. */
const WORST_FIRST = [EXIT.failed, EXIT.notFound, EXIT.refused, EXIT.attention, EXIT.underWay];
export const worst = (codes: number[]): number => WORST_FIRST.find((code) => codes.includes(code)) ?? EXIT.done;

/** The exit code after a wait for an onboard. @throws {OnboardsError} `refused` when it was cancelled meanwhile. */
export function outcomeCode(state: OnboardView, isReached: boolean): ExitCode {
  if (state.phase === 'attention') return EXIT.attention;
  if (isReached) return EXIT.done;
  if (state.phase !== 'cancelled') return EXIT.underWay;
  throw new OnboardsError(
    'refused',
    `Invitation ${state.invitation_id} was cancelled meanwhile; start it again to go on`,
  );
}

export const isAt = ({ status }: OnboardView, target: Status): boolean => hasReached(status, target);

/** The exit code of an error, and its line for standard error; no line when commander has printed its help. */
export function failureOf(error: unknown): { code: number; line?: string } {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return { code: EXIT.done };
    if (error.code === 'commander.help') return { code: EXIT.usage };
    return { code: EXIT.usage, line: oneLine(error.message.replace(/^error: /, '')) };
  }
  const line = oneLine(error instanceof Error ? error.message || error.name : String(error));
  if (error instanceof ConfigError) return { code: EXIT.usage, line };
  return { code: error instanceof OnboardsError ? codeOf(error) : EXIT.failed, line };
}

function codeOf({ code }: OnboardsError): ExitCode {
  switch (code) {
    case 'not_found':
      return EXIT.notFound;
    case 'refused':
      return EXIT.refused;
    case 'no_worker':
    case 'temporal':
      return EXIT.failed;
  }
}

/** Joins the lines of a message: setting problems come indented below a heading. Replaces what could steer the terminal. */
const oneLine = (text: string) =>
  visible(
    withoutSecrets(text)
      .split('\n')
      .filter((line) => line.trim() !== '')
      .reduce((told, line) => {
        if (told === '' || told.endsWith(':')) return `${told} ${line.trim()}`;
        return `${told}${line.startsWith('  ') ? ';' : ''} ${line.trim()}`;
      }, '')
      .trim(),
  );
