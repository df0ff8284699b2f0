import { z } from 'zod';
import { ConfigError } from './config-error';
import { loadEnvironment, type Environment } from './environment';
import { isLoopback } from './callers';
import { unusable } from './own-key';
import { readSecretFile } from './secret-file';
import { keepSecret } from './secrets';
import { visible } from './visible';

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds in `500ms`, `90s`, `5m`, `2h`, `2d` or `0`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text.trim());
  return match ? Number(match[1]) * UNITS[match[2] as keyof typeof UNITS] : undefined;
}

/** Bounded on both sides: a run refuses times of more than 30 days, and one attempt takes three calls. */
const duration = (fallback: string, least: string, most: string) =>
  z
    .string()
    .default(fallback)
    .transform((text, ctx) => {
      const [ms, from = 0, to = 0] = [text, least, most].map(parseDuration);
      if (ms !== undefined && ms >= from && ms <= to) return ms;
      ctx.addIssue(`must be a duration from ${least} to ${most}, such as 500ms, 90s, 5m or 2d`);
      return z.NEVER;
    });
const integer = (fallback: number, from: number, to: number) =>
  z
    .string()
    .default(String(fallback))
    .transform((text, ctx) => {
      const value = /^\d+$/.test(text) ? Number(text) : NaN;
      if (value >= from && value <= to) return value;
      ctx.addIssue(`must be a whole number from ${from} to ${to}`);
      return z.NEVER;
    });
const port = (fallback: number) => integer(fallback, 0, 65_535);

const upstreamUrl = z
  .string()
  .default('https://app.leadconduit.com')
  .transform((text, ctx) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const usable = url && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname)));
    if (usable && !url.username && !url.password && !url.search && !url.hash)
      return url.href.replace(/(?<!\/)\/+$/, '');
    ctx.addIssue('must be an https:// address (http:// only on loopback) with no user, query or fragment');
    return z.NEVER;
  });

const publicUrl = z.string().transform((text, ctx) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin = url !== undefined && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
  if (isOrigin) return url.origin;
  ctx.addIssue('must be an http:// or https:// address with no path, user, query or fragment');
  return z.NEVER;
});

const Shape = z.object({
  LEADCONDUIT_API_KEY: z.string().optional(),
  LEADCONDUIT_API_KEY_FILE: z.string().optional(),
  LEADCONDUIT_BASE_URL: upstreamUrl,
  LEADCONDUIT_TIMEOUT: duration('15s', '1ms', '10m'),
  LEADCONDUIT_MAX_CONCURRENCY: integer(3, 1, 100),
  LEADCONDUIT_COMPLETED_STATUS: z
    .string()
    .max(100)
    .refine(
      (word) => !['created', 'in_progress', 'failed'].includes(word),
      'must be the status that completes an onboard, and not created, in_progress or failed',
    )
    .default('completed'),
  LEADCONDUIT_MAX_LIST_MB: integer(64, 1, 1024),
  ONBOARDS_SETTLE: duration('60s', '1ms', '1d'),
  ONBOARDS_CONFIRM: duration('2m', '0', '30d'),
  ONBOARDS_TASK_QUEUE: z
    .string()
    .max(200)
    .refine((name) => name === visible(name), 'must have no control characters')
    .default('onboards'),
  ONBOARDS_DATA_DIR: z.string().default('.data'),
  ONBOARDS_API_KEY: z
    .string()
    .trim()
    .superRefine((key, ctx) => {
      const problem = unusable(key);
      if (problem !== undefined) ctx.addIssue(problem);
    })
    .optional(),
  ONBOARDS_API_KEYS_FILE: z.string().optional(),
  ONBOARDS_PUBLIC_URL: publicUrl.optional(),
  HOST: z.string().default('127.0.0.1'),
  PORT: port(3000),
  TEMPORAL_PORT: port(7233),
  TEMPORAL_UI_PORT: port(8233),
  EMULATOR_PORT: port(3001),
  TEMPORAL_CLI_PATH: z.string().optional(),
  TEMPORAL_UI_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' })
    .refine(
      (text) => !URL.canParse(text) || new URL(text).username + new URL(text).password === '',
      'must have no user',
    )
    .optional(),
});

/** Settings that are read from the environment and from `.env`; Temporal's own reader reads Temporal's. */
export const SETTING_NAMES = Object.keys(Shape.shape);

const Settings = Shape.transform((s, ctx) => {
  let apiKey = s.LEADCONDUIT_API_KEY;
  if (s.LEADCONDUIT_API_KEY_FILE !== undefined) {
    if (apiKey !== undefined) {
      ctx.addIssue({
        code: 'custom',
        path: ['LEADCONDUIT_API_KEY_FILE'],
        message: 'is set as well as LEADCONDUIT_API_KEY: set only one of them',
      });
      return z.NEVER;
    }
    const read = readSecretFile(s.LEADCONDUIT_API_KEY_FILE);
    if ('problem' in read) {
      ctx.addIssue({ code: 'custom', path: ['LEADCONDUIT_API_KEY_FILE'], message: read.problem });
      return z.NEVER;
    }
    apiKey = read.text.trim();
    keepSecret(apiKey, true);
  }
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey)) {
    const isInFile = s.LEADCONDUIT_API_KEY_FILE !== undefined;
    ctx.addIssue({
      code: 'custom',
      path: [isInFile ? 'LEADCONDUIT_API_KEY_FILE' : 'LEADCONDUIT_API_KEY'],
      message: `${isInFile ? 'must name a file whose one line is' : 'must be'} printable ASCII without spaces`,
    });
    return z.NEVER;
  }
  return {
    leadconduit: {
      /** Without a key, the emulator stands in. */
      apiKey,
      baseUrl: s.LEADCONDUIT_BASE_URL,
      timeoutMs: s.LEADCONDUIT_TIMEOUT,
      maxConcurrency: s.LEADCONDUIT_MAX_CONCURRENCY,
      completedStatus: s.LEADCONDUIT_COMPLETED_STATUS,
      maxListBytes: s.LEADCONDUIT_MAX_LIST_MB * 1024 * 1024,
    },
    settleMs: s.ONBOARDS_SETTLE,
    /** 0: no look after the completing call. */
    confirmMs: s.ONBOARDS_CONFIRM,
    taskQueue: s.ONBOARDS_TASK_QUEUE,
    dataDir: s.ONBOARDS_DATA_DIR,
    api: {
      host: s.HOST,
      isLoopback: isLoopback(s.HOST) || s.HOST === '::1',
      /** Where people reach API and console, if a proxy stands before them. */
      publicUrl: s.ONBOARDS_PUBLIC_URL,
      /** A key that may operate. Further keys, and those that may only read, are in the file. */
      key: s.ONBOARDS_API_KEY,
      keysFile: s.ONBOARDS_API_KEYS_FILE,
      /** Temporal's web page, for links. */
      temporalUi: s.TEMPORAL_UI_URL?.replace(/(?<!\/)\/+$/, ''),
    },
    ports: { api: s.PORT, temporal: s.TEMPORAL_PORT, temporalUi: s.TEMPORAL_UI_PORT, emulator: s.EMULATOR_PORT },
    temporalCliPath: s.TEMPORAL_CLI_PATH,
  };
});

export type Config = z.output<typeof Settings>;
/** @throws {ConfigError} naming every setting that is wrong, never its value. */
export function loadConfig(env: Environment = loadEnvironment()): Config {
  const parsed = Settings.safeParse(env);
  const problems = parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
  if (
    env.LEADCONDUIT_BASE_URL !== undefined &&
    env.LEADCONDUIT_API_KEY === undefined &&
    env.LEADCONDUIT_API_KEY_FILE === undefined
  )
    problems.push(
      'LEADCONDUIT_BASE_URL is set without LEADCONDUIT_API_KEY: set the key too, or remove LEADCONDUIT_BASE_URL to use the emulator',
    );
  if (parsed.success && problems.length === 0) return parsed.data;
  throw new ConfigError(`Wrong settings:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
}

/**
 * Refuses arguments, for a program that has only settings: a person who typed one would believe that it had an effect.
 * @param what the program, as it is typed, and what it does
 */
export function takeNoArguments(typed: string, what: string): void {
  const args = process.argv.slice(2);
  if (args.length === 0) return;
  if (args.length > 1 || !/^(-h|--help)$/.test(args[0] ?? ''))
    throw new ConfigError(
      `${typed} takes no arguments but --help: its settings are in the environment or in .env (docs/configuration.md)`,
    );
  console.log(
    `${typed}: ${what}\nIt takes no arguments; its settings are in the environment or in .env (docs/configuration.md).`,
  );
  process.exit(0);
}

/** A one-line warning if absence could be believed too early. */
export const settleWarning = ({ settleMs, leadconduit }: Config): string | undefined =>
  settleMs < leadconduit.timeoutMs
    ? 'Warning: ONBOARDS_SETTLE is below LEADCONDUIT_TIMEOUT: a call that LeadConduit is still busy with may be taken for lost and repeated.'
    : undefined;
