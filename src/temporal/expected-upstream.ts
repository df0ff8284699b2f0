import { resolve } from 'node:path';
import type { Config } from '../config';
import { named, ownerOf, settingsOf, upstreamOf } from '../upstream';
import type { TemporalSettings } from './connection';

/** Why a server without a record of its upstream would belong to this program. `sure`: it is the server of the data folder, or
 *  it was named together with a key. `named`: it was only named. `guess`: nobody has named it. */
type Ground = 'sure' | 'named' | 'guess';

const groundOf = ({ leadconduit }: Config, { isConfigured }: Pick<TemporalSettings, 'isConfigured'>): Ground =>
  !isConfigured ? 'guess' : leadconduit.apiKey === undefined ? 'named' : 'sure';

/** The upstream that a program works for. */
export interface Expected {
  upstream: string;
  /** How that is known, in words. */
  because: string;
  /** The address of the Temporal server. */
  address: string;
  ground: Ground;
  /** What to do if the server belongs to the upstream `recorded`. */
  wayOut: (recorded: string) => string;
}

/** For a worker or `npm start`. Without a key it always works for the emulator.
 *  @param isFolders whether the server is that of its data folder */
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
      `To work for ${named(recorded)}, set ${settingsOf(recorded)}; to work for ${named(upstream)}, set TEMPORAL_ADDRESS to ` +
      `another server, or TEMPORAL_NAMESPACE to a namespace that only it uses.`,
  };
}

/** For a program that asks and starts onboards: the CLI, the API. Undefined if there is no key and a person has named the
 *  server: then the program works for whatever upstream the server belongs to. */
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
        : `the data folder ${folder} belongs to ${named(owner)}`,
    wayOut: (recorded) =>
      `Set ONBOARDS_DATA_DIR to the data folder of the npm start for ${named(recorded)}, or ` +
      `TEMPORAL_ADDRESS=${address} if this server is meant.`,
  };
}

const BY_KEY = 'LEADCONDUIT_API_KEY is set, for LEADCONDUIT_BASE_URL';
