import { devNull } from 'node:os';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import {
  loadClientConfigProfile,
  toClientOptions,
  toTomlProfile,
  type ClientConfigProfile,
  type ConfigDataSource,
} from '@temporalio/envconfig';
import { z } from 'zod';
import type { Environment } from '../environment';
import { ConfigError } from '../config-error';
import { readSecretFile } from '../secret-file';
import { visible } from '../visible';

const text = z.string('must be a text in quotes');
/** The types of a profile's values, which Temporal's own reader does not check. */
const Profile = z
  .object({
    address: text,
    namespace: text,
    api_key: text,
    tls: z
      .object({
        disabled: z.boolean('must be true or false, without quotes'),
        server_name: text,
        server_ca_cert_path: text,
        client_cert_path: text,
        client_key_path: text,
      })
      .partial(),
    grpc_meta: z.record(z.string(), text),
  })
  .partial();

/** Temporal's own settings, which override a profile in its file, as Temporal's own reader understands them.
 *  @throws {ConfigError} */
export function fromProfile(env: Environment) {
  // That reader takes every other word for false.
  if (!/^(true|1|false|0)$/.test(env.TEMPORAL_TLS ?? 'true'))
    throw new ConfigError('TEMPORAL_TLS must be true or false');
  const set = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const configSource = namedFile(env.TEMPORAL_CONFIG_FILE);
  try {
    const profile = loadClientConfigProfile({
      overrideEnvVars: Object.fromEntries(set),
      // A file at the usual place may have profiles for other programs too, so only a named file is read strictly.
      configFileStrict: configSource !== undefined,
      ...(configSource && { configSource }),
    });
    const wrong = Profile.safeParse(toTomlProfile(profile)).error?.issues[0];
    if (wrong) throw new ConfigError(`${wrong.path.join('.')} of the profile ${wrong.message}`);
    return toClientOptions({ ...profile, ...(profile.tls && { tls: withFiles(profile.tls, env) }) });
  } catch (error) {
    throw new ConfigError(`Temporal's settings (TEMPORAL_… or its profile) cannot be used: ${problemOf(error)}`);
  }
}

/** A file that is named must exist: Temporal's own reader would go on without it. An empty file and `/dev/null` have no profiles. */
function namedFile(file: string | undefined): ConfigDataSource | undefined {
  if (file === undefined) return undefined;
  const read = file === devNull ? { text: '' } : readSecretFile(file);
  if ('problem' in read) throw new ConfigError(`Temporal's setting TEMPORAL_CONFIG_FILE ${read.problem}`);
  return { data: read.text.trim() === '' ? '[profile]' : read.text };
}

type Tls = NonNullable<ClientConfigProfile['tls']>;
const certificate = (pem: Buffer) => new X509Certificate(pem);
const TLS_PARTS = [
  ['serverCACert', 'server_ca_cert', certificate, 'certificate'],
  ['clientCert', 'client_cert', certificate, 'certificate'],
  ['clientKey', 'client_key', createPrivateKey, 'private key without a passphrase'],
] as const;

/** Replaces paths by the contents of the files. Whoever can write to one decides which server is believed, or as whom we log in. */
function withFiles(tls: Tls, env: Environment): Tls {
  if (tls.disabled) return tls;
  const read = { ...tls };
  for (const [part, field, parse, kind] of TLS_PARTS) {
    const source = tls[part];
    if (source === undefined) continue;
    const name = nameOf(`${field}_${'path' in source ? 'path' : 'data'}`, env);
    const file = 'path' in source ? readSecretFile(source.path) : { text: Buffer.from(source.data).toString() };
    if ('problem' in file) throw new ConfigError(`${name} ${file.problem}`);
    try {
      parse(Buffer.from(file.text));
    } catch {
      throw new ConfigError(`${name} has no PEM ${kind}`);
    }
    read[part] = { data: file.text };
  }
  if (!read.clientCert !== !read.clientKey)
    throw new ConfigError('a client certificate and its key must be set together: set both, or neither');
  return read;
}

/** The name of the setting if the environment has it, else that of the profile's field. */
function nameOf(field: string, env: Environment): string {
  const setting = `TEMPORAL_TLS_${field.toUpperCase()}`;
  return env[setting] === undefined ? `tls.${field} of the profile` : setting;
}

/** Describes the error in our words, because the parser's own quote lines of the file, and a key may stand in them. */
function problemOf(error: unknown): string {
  const { code, path = '', line, message } = error as NodeJS.ErrnoException & { line?: number };
  if (error instanceof ConfigError) return message;
  if (line !== undefined) return `line ${line} of the profile file is not well-formed TOML`;
  // This is the file at the usual place, since a named one was read before.
  if (code !== undefined) return `${path} cannot be read (${code})`;
  if (/^Profile '/.test(message)) return 'TEMPORAL_PROFILE names a profile that the profile file does not have';
  // These messages name keys of the file, never a value.
  if (/^(Validation error|Cannot specify both)/.test(message))
    return `${visible(message)}. Take it out, or set TEMPORAL_CONFIG_FILE to another file`;
  return 'the profile file has no [profile.…], or a value of it is of a wrong kind';
}
