import type { Command } from 'commander';
import type { OnboardsClient } from '../client';
import { loadConfig, loadEnvironment } from '../config';

/** What a command came to. */
export interface Answer {
  code: number;
  /** Undefined when there is nothing to print: what failed has been told on standard error. */
  json: unknown;
  text: string;
}

export interface Output {
  json?: boolean;
}

export const withJson = (command: Command) => command.option('--json', 'print JSON and nothing else');

/** Temporal's client is loaded only here, once the command line is known to be right: it takes longer than all the rest. */
export async function withOnboards<T>(work: (onboards: OnboardsClient) => Promise<T>): Promise<T> {
  const env = loadEnvironment();
  const config = loadConfig(env);
  const { OnboardsClient } = await import('../client/index.js');
  const onboards = await OnboardsClient.connect(config, env);
  try {
    return await work(onboards);
  } finally {
    await onboards.close();
  }
}

export async function answer({ json }: Output, work: (onboards: OnboardsClient) => Promise<Answer>): Promise<void> {
  const { code, json: value, text } = await withOnboards(work);
  if (value !== undefined) print(json ? JSON.stringify(value, null, 2) : text);
  process.exitCode = code;
}

export const print = (text: string) => void process.stdout.write(`${text}\n`);
export const complain = (line: string) => void process.stderr.write(`${line}\n`);
