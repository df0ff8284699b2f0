import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, type Config } from './config';

/** Whose onboards are served: LeadConduit's address, or `emulator`. */
export const upstreamOf = ({ leadconduit: { apiKey, baseUrl } }: Pick<Config, 'leadconduit'>): string =>
  apiKey === undefined ? 'emulator' : baseUrl;

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
  if (owner === undefined || owner === upstream) return;
  throw new ConfigError(
    `The data folder ${dataDir} holds the onboards of ${named(owner)}, and this ${who} is for ${named(upstream)}. ` +
      `Set ONBOARDS_DATA_DIR to another folder for ${named(upstream)}, or start with the settings of ${named(owner)}.`,
  );
}

const named = (upstream: string) => (upstream === 'emulator' ? 'the emulator' : upstream);
