import type { Command } from 'commander';
import type { OnboardsClient } from '../client';
import { loadConfig } from '../config';
import { environmentFor, loadEnvironment } from '../environment';
import { toJson } from '../visible';
import { named } from '../upstream';
import { EXIT, failureOf } from './exit';

/** The result of a command. */
export interface Answer {
  code: number;
  /** Undefined when there is nothing to print, since every failure went to standard error. */
  json: unknown;
  text: string;
}

export interface Output {
  json?: boolean;
}

export const withJson = (command: Command) => command.option('--json', 'print JSON and nothing else');

/** Loads Temporal's client only here, after the command line was checked: loading it takes longer than everything else. */
export async function withOnboards<T>({ json }: Output, work: (onboards: OnboardsClient) => Promise<T>): Promise<T> {
  const env = environmentFor('cli', loadEnvironment());
  const config = loadConfig(env);
  const { OnboardsClient } = await import('../client/index.js');
  const { temporalSettings, tlsWarning } = await import('../temporal/connection.js');
  const warning = process.argv.includes('--json') ? undefined : tlsWarning(temporalSettings(config, env));
  if (warning !== undefined) complain(warning);
  const onboards = await OnboardsClient.connect(config, env);
  try {
    if (!json && (await onboards.upstream()) === undefined) complain(NOBODYS);
    return await work(onboards);
  } finally {
    await onboards.close();
  }
}

const NOBODYS = 'This Temporal server does not say yet whose onboards it holds: the first worker on it will.';

export async function answer(output: Output, work: (onboards: OnboardsClient) => Promise<Answer>): Promise<void> {
  const { code, json, text } = await withOnboards(output, work);
  if (json !== undefined) print(output.json ? toJson(json, 2) : text);
  process.exitCode = code;
}

/** Like `answer`, for a change: also names the LeadConduit, even in an error after which the change may still take effect. */
export const change = (output: Output, work: (onboards: OnboardsClient) => Promise<Answer>): Promise<void> =>
  answer(output, async (onboards) => {
    const where = await whereOf(onboards);
    try {
      const { text, ...answered } = await work(onboards);
      return { ...answered, text: `${text}\n${where}` };
    } catch (error) {
      const isDoubtful = error instanceof Error && failureOf(error).code === EXIT.failed;
      if (isDoubtful && !output.json) error.message += ` (${where})`;
      throw error;
    }
  });

export const whereOf = async (onboards: OnboardsClient) => `LeadConduit: ${named(await onboards.upstream())}`;

export const print = (text: string) => void process.stdout.write(`${text}\n`);
export const complain = (line: string) => void process.stderr.write(`${line}\n`);
