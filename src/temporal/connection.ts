import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionOptions } from '@temporalio/client';
import { hostnameIn, isLoopback } from '../callers';
import type { Config } from '../config';
import type { Environment } from '../environment';
import { ConfigError } from '../config-error';
import { keepSecret, withoutSecrets } from '../secrets';
import { visible } from '../visible';
import { isListening } from './ports';
import { fromProfile } from './profile';
import { readUpFile, type UpFile } from './up-file';

const DEFAULT_ADDRESS = '127.0.0.1:7233';
const CONNECT_MS = 5_000;

/** Temporal is not available; the message says why and what to do. */
export class TemporalUnavailable extends Error {
  override readonly name = 'TemporalUnavailable';
}

export interface TemporalSettings {
  /** Fits the client's `Connection` and the worker's `NativeConnection`. */
  connectionOptions: Pick<ConnectionOptions, 'tls' | 'metadata'> & { address: string; apiKey?: string };
  namespace: string;
  /** False if no server is named: then this is the one that `npm start` starts. */
  isConfigured: boolean;
  /** The `up.json` of the data folder, if the server was found through it. */
  up?: UpFile;
}

/** Temporal's own settings and profiles; without them the address in `up.json`, and without that the usual address.
 *  @throws {ConfigError} */
export function temporalSettings({ dataDir }: Pick<Config, 'dataDir'>, env: Environment): TemporalSettings {
  const { connectionOptions, namespace } = fromProfile(env);
  const { address, apiKey, tls, metadata } = connectionOptions;
  if (address !== undefined) {
    if (!/^([\w.-]+|\[[\w:.%]+\]):\d{1,5}$/.test(address))
      throw new ConfigError(
        "Temporal's address (TEMPORAL_ADDRESS or its profile's) must be host:port, such as temporal.example:7233, without " +
          'http:// and without a user',
      );
    if (typeof tls === 'object' && tls?.clientCertPair) keepSecret(Buffer.from(tls.clientCertPair.key).toString());
    const options = { address, tls, ...credentialsIn({ apiKey, metadata }) };
    const secrets = [
      ...(apiKey === undefined ? [] : ['TEMPORAL_API_KEY']),
      ...Object.keys(metadata ?? {}).map(metadataName),
    ];
    if (secrets[0] !== undefined && !tls && !isHere(address))
      throw new ConfigError(
        `${secrets[0]} would be sent without TLS, so that anybody on the network could read it: set TEMPORAL_TLS=true, or remove the credential`,
      );
    return { connectionOptions: options, namespace: namespace ?? 'default', isConfigured: true };
  }
  if (apiKey !== undefined || tls)
    throw new ConfigError('An API key or TLS settings for Temporal are set, but no address: set TEMPORAL_ADDRESS, too');
  const up = readUpFile(dataDir);
  return {
    connectionOptions: { address: up?.temporal.address ?? DEFAULT_ADDRESS },
    namespace: namespace ?? up?.temporal.namespace ?? 'default',
    isConfigured: false,
    ...(up && { up }),
  };
}

const metadataName = (name: string) => `Temporal's metadata ${name} (TEMPORAL_GRPC_META_… or grpc_meta of the profile)`;

const isHere = (address: string): boolean => isLoopback(hostnameIn(address) ?? '');

/** A one-line warning if others could read and change what is sent, unless a person has set `TEMPORAL_TLS=false`. */
export const tlsWarning = ({ connectionOptions: { address, tls } }: TemporalSettings): string | undefined =>
  tls === undefined && !isHere(address)
    ? `Warning: Temporal at ${address} is on another machine, and the connection has no TLS: anybody on the network can read and ` +
      'change what is sent. Set TEMPORAL_TLS=true; on a private network, such as that of containers, TEMPORAL_TLS=false.'
    : undefined;

type Credentials = Pick<TemporalSettings['connectionOptions'], 'metadata' | 'apiKey'>;

/** Checks what gRPC can send before gRPC does: its own error message would quote the secret. @throws {ConfigError} */
function credentialsIn({ apiKey, metadata }: Credentials): Credentials {
  const sendable = (name: string, value: unknown): string => {
    const text = String(value).trim();
    keepSecret(text);
    if (/^[\x20-\x7e]+$/.test(text)) return text;
    throw new ConfigError(`${name} must be printable ASCII on one line`);
  };
  const entries = Object.entries((metadata ?? {}) as Record<string, unknown>);
  for (const [name] of entries)
    if (!/^[\w.-]+(?<!-bin)$/.test(name))
      throw new ConfigError(
        `${metadataName(name)} cannot be sent: a name has letters, digits, "_", "-" and ".", and does not end with "-bin"`,
      );
  return {
    apiKey:
      apiKey === undefined ? undefined : sendable("Temporal's API key (TEMPORAL_API_KEY or its profile's)", apiKey),
    metadata: Object.fromEntries(entries.map(([name, value]) => [name, sendable(metadataName(name), value)])),
  };
}

/** Connects within some 5 s. `connect` is the function of the client's or the worker's connection class.
 *  @throws {TemporalUnavailable} */
export async function connectTemporal<C extends { close(): Promise<void> }>(
  { connectionOptions, isConfigured }: Pick<TemporalSettings, 'connectionOptions' | 'isConfigured'>,
  connect: (options: TemporalSettings['connectionOptions'] & { connectTimeout: number }) => Promise<C>,
): Promise<C> {
  const { address } = connectionOptions;
  const late = new AbortController();
  const attempt = nobodyListens(address).then((reason) => {
    if (reason !== undefined) throw new Error(reason);
    return connect({ ...connectionOptions, connectTimeout: CONNECT_MS });
  });
  const timeout = sleep(CONNECT_MS + 500, undefined, { signal: late.signal }).then(() => {
    void attempt.then((connection) => connection.close()).catch(() => undefined);
    throw new Error('no answer in 5 s');
  });
  timeout.catch(() => undefined);
  try {
    return await Promise.race([attempt, timeout]);
  } catch (error) {
    const reason = visible(withoutSecrets((error as Error).message));
    const todo = isConfigured
      ? 'Check that it runs, and that TEMPORAL_ADDRESS or its profile is right. If neither is set, `npm start` starts a server here.'
      : 'Start it with `npm start`, or set TEMPORAL_ADDRESS to one that runs.';
    throw new TemporalUnavailable(`Temporal at ${address} cannot be reached (${reason}). ${todo}`);
  } finally {
    late.abort();
  }
}

/** On this machine a missing server is noticed at once, while gRPC would wait for its whole deadline. For another machine
 *  this is not asked, because a proxy may stand before it. */
async function nobodyListens(address: string): Promise<string | undefined> {
  const local = /^(?:127\.0\.0\.1|localhost):(\d+)$/.exec(address);
  return local === null || (await isListening(Number(local[1]))) ? undefined : 'nothing listens there';
}
