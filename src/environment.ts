import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigError } from './config-error';
import { keepSecret } from './secrets';

/** What the environment and a `.env` file say, before it is read as settings. */
export type Environment = Record<string, string | undefined>;

/** Settings that are secrets or lead to one, by whose they are. */
const SECRETS = {
  leadconduit: /^LEADCONDUIT_API_KEY(_FILE)?$/,
  ours: /^ONBOARDS_API_KEY(S_FILE)?$/,
  temporal: /^TEMPORAL_(API_KEY|CONFIG_FILE|CODEC_AUTH|GRPC_META_.*|TLS_CLIENT_(KEY|CERT)_(DATA|PATH))$/,
};
type Secret = keyof typeof SECRETS;
const isFile = (name: string) => /_(FILE|PATH)$/.test(name);

/** Which of them a program needs. `npm start` hands each no others, and each forgets what a `.env` has besides. */
const NEEDS = {
  start: ['leadconduit', 'ours', 'temporal'],
  worker: ['leadconduit', 'temporal'],
  api: ['ours', 'temporal'],
  cli: ['temporal'],
  emulator: [],
} as const satisfies Record<string, readonly Secret[]>;
type Program = keyof typeof NEEDS;

/** Stands for LeadConduit's key where it is not needed, but whether there is one tells the account from the emulator. */
const WITHHELD = 'withheld';

/** Without the secrets that are not for this program. */
export function environmentFor(program: Program, env: Environment): Environment {
  const needs: readonly Secret[] = NEEDS[program];
  const withheld = (Object.keys(SECRETS) as Secret[]).filter((secret) => !needs.includes(secret));
  const entries = Object.entries(env).filter(([name]) => !withheld.some((secret) => SECRETS[secret].test(name)));
  const hasKey = Object.entries(env).some(([name, value]) => value && SECRETS.leadconduit.test(name));
  const stand = hasKey && withheld.includes('leadconduit') ? { LEADCONDUIT_API_KEY: WITHHELD } : {};
  return { ...Object.fromEntries(entries), ...stand };
}

const OURS = /^(LEADCONDUIT|ONBOARDS|TEMPORAL)_/;

/** For a program that is not ours: Temporal, Python, what was downloaded. None of the settings is meant for it. */
export const foreignEnvironment = (env: Environment): Environment =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !OURS.test(name)));

/** Two names of one setting: what the environment says of either goes for both. */
const ACCOUNT_KEY = ['LEADCONDUIT_API_KEY', 'LEADCONDUIT_API_KEY_FILE'];

const isEmpty = ([name, value]: readonly [string, string | undefined]): boolean =>
  (OURS.test(name) ? value?.trim() : value) === '';

/** Of the environment: what it takes away from a `.env`. A program that is started from here reads the same file. */
export const takenAway = (env: Environment = process.env): Environment =>
  Object.fromEntries(Object.entries(env).filter(isEmpty));

/** The environment over a `.env` file in the working directory. An empty value counts as unset, and takes the file's away; the
 *  space around one of ours counts for nothing. */
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
