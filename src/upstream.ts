import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from './config';
import { ConfigError } from './config-error';

const EMULATOR = 'emulator';

/** Whose onboards are served: LeadConduit's address, or `emulator`. */
export const upstreamOf = ({ leadconduit: { apiKey, baseUrl } }: Pick<Config, 'leadconduit'>): string =>
  apiKey === undefined ? EMULATOR : baseUrl;

/** The upstream in words, beside the word LeadConduit; undefined if no worker has been on the server yet. */
export const named = (upstream: string | undefined): string =>
  upstream === undefined ? 'not known yet' : upstream === EMULATOR ? 'the emulator' : upstream;

/** The settings that a program for this upstream needs. */
export const settingsOf = (upstream: string): string =>
  upstream === EMULATOR ? 'no LEADCONDUIT_API_KEY' : `LEADCONDUIT_API_KEY and LEADCONDUIT_BASE_URL of ${upstream}`;

/** Different spellings of one address are the same upstream. Two accounts at one address cannot be told apart. */
export const isSameUpstream = (one: string, other: string): boolean => canonical(one) === canonical(other);

function canonical(upstream: string): string {
  if (!URL.canParse(upstream)) return upstream;
  // The parser already unifies the case of the host and a default port.
  const url = new URL(upstream);
  url.hostname = url.hostname.replace(/\.$/, '');
  return url.href.replace(/\/+$/, '');
}

export const upstreamFileIn = (dataDir: string) => join(dataDir, 'upstream.json');

/** The upstream of a data folder; undefined if it has none yet. @throws {ConfigError} */
export function ownerOf(dataDir: string): string | undefined {
  const file = upstreamFileIn(dataDir);
  if (!existsSync(file)) return undefined;
  try {
    const { upstream } = JSON.parse(readFileSync(file, 'utf8')) as { upstream?: unknown };
    if (typeof upstream === 'string') return upstream;
  } catch {
    // The error below says so.
  }
  throw new ConfigError(`${file} does not say whose onboards the folder holds: set ONBOARDS_DATA_DIR to another one`);
}

/** The onboards of one upstream must never reach another: those of a demo would be created in a customer's account.
 *  @param who the program that asks: `start` or `worker`. @throws {ConfigError} */
export function assertSameUpstream(dataDir: string, owner: string | undefined, upstream: string, who: string): void {
  if (owner === undefined || isSameUpstream(owner, upstream)) return;
  throw new ConfigError(
    `The data folder ${dataDir} holds the onboards of ${named(owner)}, and this ${who} is for ${named(upstream)}. ` +
      `Set ONBOARDS_DATA_DIR to another folder for ${named(upstream)}, or start with the settings of ${named(owner)}.`,
  );
}
