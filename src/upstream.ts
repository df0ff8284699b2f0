import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from './config';
import { ConfigError } from './config-error';

const EMULATOR = 'emulator';

/** Whose onboards are served: LeadConduit's address, or `emulator`. */
export const upstreamOf = ({ leadconduit: { apiKey, baseUrl } }: Pick<Config, 'leadconduit'>): string =>
  apiKey === undefined ? EMULATOR : baseUrl;

/** For people, beside the word LeadConduit; undefined: no worker has been on the server yet. */
export const named = (upstream: string | undefined): string =>
  upstream === undefined ? 'not known yet' : upstream === EMULATOR ? 'the emulator' : upstream;

/** What a program for this upstream has to be given. */
export const settingsOf = (upstream: string): string =>
  upstream === EMULATOR ? 'no LEADCONDUIT_API_KEY' : `LEADCONDUIT_API_KEY and LEADCONDUIT_BASE_URL of ${upstream}`;

/** Different spellings of one address are the same upstream. Two accounts at one address cannot be told apart. */
export const isSameUpstream = (one: string, other: string): boolean => canonical(one) === canonical(other);

function canonical(upstream: string): string {
  if (!URL.canParse(upstream)) return upstream;
  // The case of the host and a default port are seen to by the parser.
  const url = new URL(upstream);
  url.hostname = url.hostname.replace(/\.$/, '');
  return url.href.replace(/\/+$/, '');
}

export const upstreamFileIn = (dataDir: string) => join(dataDir, 'upstream.json');

/** Undefined where the folder is nobody's yet. @throws {ConfigError} */
export function ownerOf(dataDir: string): string | undefined {
  const file = upstreamFileIn(dataDir);
  if (!existsSync(file)) return undefined;
  try {
    const { upstream } = JSON.parse(readFileSync(file, 'utf8')) as { upstream?: unknown };
    if (typeof upstream === 'string') return upstream;
  } catch {
    // Said below.
  }
  throw new ConfigError(`${file} does not say whose onboards the folder holds: set ONBOARDS_DATA_DIR to another one`);
}

/** The onboards of one upstream must never reach another: a demo's would be created in a customer's account.
 *  @param who asks: `start` or `worker`. @throws {ConfigError} */
export function assertSameUpstream(dataDir: string, owner: string | undefined, upstream: string, who: string): void {
  if (owner === undefined || isSameUpstream(owner, upstream)) return;
  throw new ConfigError(
    `The data folder ${dataDir} holds the onboards of ${named(owner)}, and this ${who} is for ${named(upstream)}. ` +
      `Set ONBOARDS_DATA_DIR to another folder for ${named(upstream)}, or start with the settings of ${named(owner)}.`,
  );
}
