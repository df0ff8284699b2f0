/** Messages as they come from outside: any name, any payload. */
import { MESSAGE_NAMES, type MessageName } from './actions';
import { HEX24_RULE, isHex24 } from './ids';
import { MOVES } from './lifecycle';
import { cleanLine, cleanText, isClean, LINE_LENGTH } from './text';
import { isUndecodable, whyUndecodable } from './undecodable';

const MOST_IDS = 50;

/** What each message says. The shapes of all payloads, `Payload` and `Message`, follow from this. */
const FIELDS = {
  advance: (read: Fields) => ({ to: read.oneOf('to', MOVES), flow_id: read.id('flow_id'), ...read.attribution() }),
  resolve: (read: Fields) => ({
    action: read.oneOf('action', ['retry', 'adopt']),
    /** The id of the attention that is answered. If another one is open, the answer is refused as stale. */
    attention: read.line('attention'),
    onboard_id: read.line('onboard_id')?.toLowerCase(),
    ...read.attribution(),
  }),
  hold: (read: Fields) => read.attribution(),
  release: (read: Fields) => read.attribution(),
  cancel: (read: Fields) => read.attribution(),
  look: (read: Fields) => ({
    /** Onboards of the invitation that a list has shown. A list without them is older. */
    onboard_ids: read.ids('onboard_ids'),
    ...read.attribution(),
  }),
  note: (read: Fields) => ({ text: read.required('text'), by: read.line('by'), key: read.key() }),
} as const satisfies Record<MessageName, (read: Fields) => object>;

/** A field that may be undefined may be left out. */
type Optional<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: T[K];
};
/** What a message of this name carries, as callers send it. */
export type Payload<Name extends MessageName> = Optional<ReturnType<(typeof FIELDS)[Name]>>;
/** Who asks, why, and a key that makes the message safe to repeat: the same key acts once. */
export type Attribution = Payload<'hold'>;

export type Message = { [Name in MessageName]: { name: Name } & Payload<Name> }[MessageName];

/** A message that is not one of ours, or not well formed. */
export interface Unreadable {
  name: string;
  unreadable: string;
}

/** Makes a message of a name and a payload from outside; every text is cleaned and cut, every shape checked. Never throws. */
export function parseMessage(name: string, args: readonly unknown[]): Message | Unreadable {
  const known = MESSAGE_NAMES.find((one) => one === name);
  const label = cleanLine(name);
  if (!known)
    return { name: label, unreadable: `there is no message of this name; there are ${MESSAGE_NAMES.join(', ')}` };
  const payload = args[0] ?? {};
  if (isUndecodable(payload))
    return { name: label, unreadable: `its payload cannot be decoded: ${cleanLine(whyUndecodable(payload))}` };
  if (typeof payload !== 'object' || Array.isArray(payload))
    return { name: label, unreadable: 'its payload must be one object' };
  const fields = new Fields(payload as Record<string, unknown>);
  const read = FIELDS[known](fields);
  if (fields.wrong.length > 0) return { name: label, unreadable: fields.wrong.join('; ') };
  return { name: known, ...read } as Message;
}

/** Reads one field after the other, and collects what is wrong with them. */
class Fields {
  readonly wrong: string[] = [];

  constructor(private readonly raw: Record<string, unknown>) {}

  line(field: string): string | undefined {
    return this.text(field, cleanLine);
  }

  required(field: string): string {
    if ((this.raw[field] ?? undefined) === undefined) this.wrong.push(`${field} must be a text`);
    return this.text(field) ?? '';
  }

  id(field: string): string | undefined {
    const value = this.line(field);
    if (value !== undefined && !isHex24(value)) this.wrong.push(`${field} ${HEX24_RULE}`);
    return value?.toLowerCase();
  }

  ids(field: string): string[] | undefined {
    const value = this.raw[field] ?? undefined;
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.length <= MOST_IDS && value.every((one) => typeof one === 'string'))
      return value.map((one) => cleanLine(one.toLowerCase()));
    this.wrong.push(`${field} must be a list of at most ${MOST_IDS} texts`);
    return undefined;
  }

  key(): string | undefined {
    const { key } = this.raw;
    // Cut or cleaned, two keys could become one, and the second message would be taken for a repetition.
    if (typeof key === 'string' && (key.length > LINE_LENGTH || !isClean(key)))
      this.wrong.push(`key must be one line of at most ${LINE_LENGTH} characters, none of which steers a terminal`);
    return this.line('key');
  }

  oneOf<const T extends string>(field: string, words: readonly T[]): T {
    const found = words.find((word) => word === this.raw[field]);
    if (!found) this.wrong.push(`${field} must be ${words.join(' or ')}`);
    return found ?? words[0]!;
  }

  attribution() {
    return { by: this.line('by'), reason: this.text('reason'), key: this.key() };
  }

  private text(field: string, clean = cleanText): string | undefined {
    const value = this.raw[field] ?? undefined;
    if (value === undefined) return undefined;
    if (typeof value !== 'string' || value === '') this.wrong.push(`${field} must be a text`);
    return typeof value === 'string' ? clean(value) : undefined;
  }
}
