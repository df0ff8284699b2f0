import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigError } from './config-error';
import { keepSecret } from './secrets';

/** What the environment and a `.env` file say, before it is read as settings. */
export type Environment = Record<string, string | undefined>;

/** Settings that are secrets or lead to one, by their owner. */
const SECRETS = {
  leadconduit: /^LEADCONDUIT_API_KEY(_FILE)?$/,
  ours: /^ONBOARDS_API_KEY(S_FILE)?$/,
  temporal: /^TEMPORAL_(API_KEY|CONFIG_FILE|CODEC_AUTH|GRPC_META_.*|TLS_CLIENT_(KEY|CERT)_(DATA|PATH))$/,
};
type Secret = keyof typeof SECRETS;
const isFile = (name: string) => /_(FILE|PATH)$/.test(name);

/** Which secrets each program needs. `npm start` hands on no others, and a program drops those that it finds in a `.env`. */
const NEEDS = {
  start: ['leadconduit', 'ours', 'temporal'],
  worker: ['leadconduit', 'temporal'],
  api: ['ours', 'temporal'],
  cli: ['temporal'],
  emulator: [],
} as const satisfies Record<string, readonly Secret[]>;
type Program = keyof typeof NEEDS;

/** Replaces LeadConduit's key in programs that do not need it: that there is a key tells the account from the emulator. */
const WITHHELD = 'withheld';

/** The environment without the secrets that this program does not need. */
export function environmentFor(program: Program, env: Environment): Environment {
  const needs: readonly Secret[] = NEEDS[program];
  const withheld = (Object.keys(SECRETS) as Secret[]).filter((secret) => !needs.includes(secret));
  const entries = Object.entries(env).filter(([name]) => !withheld.some((secret) => SECRETS[secret].test(name)));
  const hasKey = Object.entries(env).some(([name, value]) => value && SECRETS.leadconduit.test(name));
  const stand = hasKey && withheld.includes('leadconduit') ? { LEADCONDUIT_API_KEY: WITHHELD } : {};
  return { ...Object.fromEntries(entries), ...stand };
}

const OURS = /^(LEADCONDUIT|ONBOARDS|TEMPORAL)_/;

/** The environment of a program that is not ours (Temporal, Python, a download): none of our settings is meant for it. */
export const foreignEnvironment = (env: Environment): Environment =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !OURS.test(name)));

/** Two names of one setting: if the environment has either, the file's values of both are ignored. */
const ACCOUNT_KEY = ['LEADCONDUIT_API_KEY', 'LEADCONDUIT_API_KEY_FILE'];

const isEmpty = ([name, value]: readonly [string, string | undefined]): boolean =>
  (OURS.test(name) ? value?.trim() : value) === '';

/** The empty values of the environment, which unset those of a `.env`. A child needs them, because it reads the same file. */
export const takenAway = (env: Environment = process.env): Environment =>
  Object.fromEntries(Object.entries(env).filter(isEmpty));

/** The environment, which overrides a `.env` file in the working directory. An empty value counts as unset, and unsets the
 *  file's. White space around our own settings is ignored. */
export function loadEnvironment(env: Environment = process.env, file = '.env'): Environment {
  let fromFile: Environment = {};
  try {
    fromFile = parseEnv(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw new ConfigError(`${file} cannot be read: ${(error as Error).message}`);
  }
  const isSaid = ACCOUNT_KEY.some((name) => env[name] !== undefined);
  const kept = Object.entries(fromFile).filter(([name]) => !(isSaid && ACCOUNT_KEY.includes(name)));
  const all = Object.entries({ ...Object.fromEntries(kept), ...env })
    .filter((entry) => !isEmpty(entry))
    .map(([name, value]) => [name, OURS.test(name) ? value?.trim() : value] as const);
  for (const [name, value] of all)
    if (value && value !== WITHHELD && !isFile(name) && Object.values(SECRETS).some((pattern) => pattern.test(name)))
      keepSecret(value, name.endsWith('_API_KEY'));
  return Object.fromEntries(all);
}
