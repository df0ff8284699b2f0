/**
 * Reads what an activity returned: anybody can complete an activity by hand, with anything. A result that lacks a field
 * which its kind needs cannot be read, and an outcome that cannot be read is unknown.
 */
import type { LookResult, OnboardRecord, Outcome, SeenOnboard } from './outcome';
import { cleanLine, cleanText } from './text';

const MOST_MS = 30 * 86_400_000;
/** Levels of a record; the activities accept a little less. Far deeper ones could not be written as JSON. */
const MOST_DEPTH = 110;
const MOST_CHARACTERS = 70_000;

type Fields = Record<string, unknown>;
/** Returns the cleaned value, or undefined if it cannot be read. */
type Reader = (value: unknown) => unknown;

const text: Reader = (value) => (typeof value === 'string' ? cleanText(value) : undefined);
const flag: Reader = (value) => (typeof value === 'boolean' ? value : undefined);
const status: Reader = (value) =>
  Number.isInteger(value) && Number(value) >= 100 && Number(value) < 600 ? value : undefined;
const ms: Reader = (value) =>
  Number.isFinite(value) && Number(value) >= 0 && Number(value) <= MOST_MS ? value : undefined;
const ids: Reader = (value) =>
  Array.isArray(value) && value.every((id) => typeof id === 'string') ? value.map((id) => cleanLine(id)) : undefined;
const evidence: Reader = (value) => {
  const { run_id, is_reset } = { ...(value as Fields | null) };
  return typeof run_id === 'string' && typeof is_reset === 'boolean'
    ? { run_id: cleanLine(run_id), is_reset }
    : undefined;
};
const seen: Reader = (value) => readSeen(value);
const onboards: Reader = (value) => {
  if (!Array.isArray(value)) return undefined;
  const read = value.map(readSeen);
  return read.every((one) => one !== undefined) ? read : undefined;
};

/** A field with a question mark is optional. */
type Shape = Record<string, Reader>;
const ALWAYS: Shape = { 'evidence?': evidence, 'slow_look_ms?': ms, 'needs_ms?': ms };

const OUTCOME_SHAPES: Record<Outcome['kind'], Shape> = {
  done: { seen, adopted: flag },
  not_sent: {
    ...{ words: text, 'retry_after_ms?': ms, 'http_status?': status, 'unusable_look?': flag, 'lacks?': ids },
    ...{ 'no_time?': flag, 'called_back?': flag },
  },
  not_listed: { words: text },
  refused: { words: text, http_status: status, look_first: flag },
  credentials: { words: text, http_status: status, 'at_look?': flag },
  unknown: { words: text, 'http_status?': status, 'may_send_for_ms?': ms },
  duplicate: { onboard_ids: ids },
  unexpected: { seen, 'may_be_old?': flag },
  flow_changed: { seen, 'may_be_old?': flag },
};
const LOOK_SHAPES: Record<LookResult['kind'], Shape> = {
  seen: { onboards, proves_absence: flag, 'lacks?': ids },
  unusable: { words: text, 'retry_after_ms?': ms, 'no_time?': flag },
  credentials: { words: text, http_status: status },
};

export const parseOutcome = (result: unknown): Outcome | undefined =>
  read(OUTCOME_SHAPES, result) as Outcome | undefined;
export const parseLookResult = (result: unknown): LookResult | undefined =>
  read(LOOK_SHAPES, result) as LookResult | undefined;

function read(kinds: Record<string, Shape>, result: unknown): Fields | undefined {
  if (typeof result !== 'object' || result === null) return undefined;
  const raw = result as Fields;
  const { kind } = raw;
  if (typeof kind !== 'string' || !Object.hasOwn(kinds, kind)) return undefined;
  const fields: Fields = { kind };
  for (const [key, reader] of Object.entries({ ...kinds[kind], ...ALWAYS })) {
    const name = key.replace('?', '');
    const value = raw[name] ?? undefined;
    if (value === undefined && name !== key) continue;
    fields[name] = reader(value);
    if (fields[name] === undefined) return undefined;
  }
  return fields;
}

function readSeen(value: unknown): SeenOnboard | undefined {
  const { record, status: word } = { ...(value as { record?: unknown; status?: unknown } | null) };
  if (typeof word !== 'string' || !isRecord(record)) return undefined;
  return { record, status: cleanLine(word) };
}

/** The record itself is kept verbatim: a `PUT` sends back the fields that are not ours. */
function isRecord(value: unknown): value is OnboardRecord {
  const { id, invitation_id } = { ...(value as Fields | null) };
  if (typeof id !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(id) || typeof invitation_id !== 'string') return false;
  return isShallow(value) && JSON.stringify(value).length <= MOST_CHARACTERS;
}

function isShallow(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; depth < MOST_DEPTH && level.length > 0; depth += 1)
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? (Object.values(one) as unknown[]) : []));
  return level.length === 0;
}
