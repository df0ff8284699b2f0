import { resolve } from 'node:path';
import type { Config } from '../config';
import { named, ownerOf, settingsOf, upstreamOf } from '../upstream';
import type { TemporalSettings } from './connection';

/** Why the onboards of a server that does not say whose they are would be this program's: it is its data folder's own or was
 *  named together with a key; it was only named; nobody has said that it is this one. */
type Ground = 'sure' | 'named' | 'guess';

const groundOf = ({ leadconduit }: Config, { isConfigured }: Pick<TemporalSettings, 'isConfigured'>): Ground =>
  !isConfigured ? 'guess' : leadconduit.apiKey === undefined ? 'named' : 'sure';

/** For whom a program is. */
export interface Expected {
  upstream: string;
  /** How that is known. */
  because: string;
  /** Where it has found the server. */
  address: string;
  ground: Ground;
  /** What to do where the server is `recorded`'s. */
  wayOut: (recorded: string) => string;
}

/** Of a worker, or `npm start`. Without a key it is for the emulator, always.
 *  @param isFolders the server is the one of its data folder */
export function expectedByWorker(
  config: Config,
  settings: Pick<TemporalSettings, 'connectionOptions' | 'isConfigured'>,
  isFolders = false,
): Expected {
  const { address } = settings.connectionOptions;
  const upstream = upstreamOf(config);
  return {
    upstream,
    address,
    ground: isFolders ? 'sure' : groundOf(config, settings),
    because: config.leadconduit.apiKey === undefined ? 'no LEADCONDUIT_API_KEY is set' : BY_KEY,
    wayOut: (recorded) =>
      `To work for ${named(recorded)}, set ${settingsOf(recorded)}; for ${named(upstream)}, set TEMPORAL_ADDRESS to another ` +
      `server, or TEMPORAL_NAMESPACE to one of its own.`,
  };
}

/** Of one that asks, and starts onboards: the CLI, the API. Undefined where a person has named the server: then it is for whom that is. */
export function expectedByClient(config: Config, settings: TemporalSettings): Expected | undefined {
  const { isConfigured, up } = settings;
  const { address } = settings.connectionOptions;
  const ground = groundOf(config, settings);
  const folder = resolve(config.dataDir);
  if (config.leadconduit.apiKey !== undefined)
    return {
      upstream: upstreamOf(config),
      address,
      ground,
      because: BY_KEY,
      wayOut: (recorded) =>
        `To go on with ${named(recorded)}, set ${settingsOf(recorded)}; else set TEMPORAL_ADDRESS to the server of ` +
        `${upstreamOf(config)}, or ONBOARDS_DATA_DIR to the data folder of its npm start.`,
    };
  if (isConfigured) return undefined;
  const owner = up?.upstream ?? ownerOf(folder);
  return {
    upstream: owner ?? upstreamOf(config),
    address,
    ground,
    because:
      owner === undefined
        ? `no LEADCONDUIT_API_KEY is set, and no npm start runs on the data folder ${folder}`
        : `the data folder ${folder} is of ${named(owner)}`,
    wayOut: (recorded) =>
      `Set ONBOARDS_DATA_DIR to the data folder of the npm start for ${named(recorded)}, or ` +
      `TEMPORAL_ADDRESS=${address} if this server is meant.`,
  };
}

const BY_KEY = 'LEADCONDUIT_API_KEY is set, for LEADCONDUIT_BASE_URL';
