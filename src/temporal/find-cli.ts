import { accessSync, constants, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { foreignEnvironment, type Environment } from '../environment';
import { ConfigError } from '../config-error';
import { TemporalUnavailable } from './connection';
import { CLI_VERSION, SOURCES } from './fetch-cli';

export interface FindOptions {
  env: Environment;
  /** TEMPORAL_CLI_PATH. */
  cliPath?: string | undefined;
  say?: (what: string) => void;
}

/** Finds the Temporal CLI, which contains a server: the one that is named, on the PATH or in our cache; else downloads one.
 *  @throws {ConfigError | TemporalUnavailable} */
export async function findTemporal({ env, cliPath, say }: FindOptions): Promise<string> {
  if (cliPath !== undefined) {
    if (isExecutable(cliPath)) return cliPath;
    throw new ConfigError(`TEMPORAL_CLI_PATH names ${cliPath}, which is not a program that can be run`);
  }
  const onPath = placesOnPath(env);
  const cache = join(env.XDG_CACHE_HOME ?? join(env.HOME ?? homedir(), '.cache'), 'durable-onboards');
  const cached = join(cache, `temporal-${CLI_VERSION}`);
  return [...onPath, cached].find(isExecutable) ?? download(cache, cached, env, say);
}

const placesOnPath = ({ PATH = '' }: Environment) => PATH.split(delimiter).map((folder) => join(folder, 'temporal'));

/** Whether typing `temporal` runs this program. */
export const isTyped = (cli: string, env: Environment): boolean => placesOnPath(env).find(isExecutable) === cli;

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

async function download(cache: string, cached: string, env: Environment, say?: FindOptions['say']): Promise<string> {
  let folder;
  try {
    mkdirSync(cache, { recursive: true });
    folder = mkdtempSync(join(cache, 'download-'));
  } catch (error) {
    throw new TemporalUnavailable(`The cache for Temporal cannot be written: ${(error as Error).message}. ${WAYS}`);
  }
  const failures = [];
  try {
    for (const { name, fetch } of SOURCES) {
      say?.(`Downloading Temporal ${CLI_VERSION} from ${name}`);
      const result = await fetch(folder, foreignEnvironment(env));
      if ('failure' in result) {
        failures.push(`\n  ${name}: ${result.failure}`);
        continue;
      }
      renameSync(result.file, cached);
      return cached;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  throw new TemporalUnavailable(
    `No Temporal server was found, and none could be downloaded:${failures.join('')}\n${WAYS}`,
  );
}

const WAYS = `Any one of these helps:
  install the Temporal CLI (https://docs.temporal.io/cli), so that \`temporal\` is on the PATH
  set TEMPORAL_CLI_PATH to where a Temporal CLI is
  set TEMPORAL_ADDRESS to a Temporal server that runs`;
