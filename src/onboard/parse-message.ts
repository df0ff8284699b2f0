/** Messages as they come from outside: any name, any payload. */
import type { Advance, Look, Note, Plain, Resolve } from '../workflows/messages';
import { isUndecodable, whyUndecodable } from './undecodable';
import { cleanLine, cleanText, isClean, NAME } from './text';

export type Message =
  | ({ name: 'advance' } & Advance)
  | ({ name: 'resolve' } & Resolve)
  | ({ name: 'hold' | 'release' | 'cancel' } & Plain)
  | ({ name: 'look' } & Look)
  | ({ name: 'note' } & Note);

/** A message that is not one of ours, or not well formed. */
export interface Unreadable {
  name: string;
  unreadable: string;
}

const NAMES = ['advance', 'resolve', 'hold', 'release', 'cancel', 'look', 'note'] as const;
const MOST_IDS = 50;
const HEX24 = /^[0-9a-f]{24}$/i;

/** Makes a message of a name and a payload from outside; every text is cleaned and cut, every shape checked. Never throws. */
export function readMessage(name: string, args: readonly unknown[]): Message | Unreadable {
  const known = NAMES.find((one) => one === name);
  const label = cleanLine(name);
  if (!known) return { name: label, unreadable: `there is no message of this name; there are ${NAMES.join(', ')}` };
  const payload = args[0] ?? {};
  if (isUndecodable(payload))
    return { name: label, unreadable: `its payload cannot be decoded: ${cleanLine(whyUndecodable(payload))}` };
  if (typeof payload !== 'object' || Array.isArray(payload))
    return { name: label, unreadable: 'its payload must be one object' };

  const raw = payload as Record<string, unknown>;
  const wrong: string[] = [];
  const text = (field: string, clean = cleanLine, required = false): string | undefined => {
    const value = raw[field] ?? undefined;
    if (value === undefined ? required : typeof value !== 'string' || value === '')
      wrong.push(`${field} must be a text`);
    return typeof value === 'string' ? clean(value) : undefined;
  };
  const id = (field: string): string | undefined => {
    const value = text(field);
    if (value !== undefined && !HEX24.test(value)) wrong.push(`${field} must be 24 hexadecimal digits`);
    return value?.toLowerCase();
  };
  const ids = (field: string): string[] | undefined => {
    const value = raw[field] ?? undefined;
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.length <= MOST_IDS && value.every((one) => typeof one === 'string'))
      return value.map((one) => cleanLine(one.toLowerCase()));
    wrong.push(`${field} must be a list of at most ${MOST_IDS} texts`);
    return undefined;
  };
  const key = (): string | undefined => {
    // Cut or cleaned, two keys could become one, and the second message would be taken for a repetition.
    if (typeof raw.key === 'string' && (raw.key.length > NAME || !isClean(raw.key)))
      wrong.push(`key must be one line of at most ${NAME} characters, none of which steers a terminal`);
    return text('key');
  };
  const oneOf = <T extends string>(field: string, words: readonly T[]): T => {
    const found = words.find((word) => word === raw[field]);
    if (!found) wrong.push(`${field} must be ${words.join(' or ')}`);
    return found ?? words[0]!;
  };
  const said = () => ({ by: text('by'), reason: text('reason', cleanText), key: key() });

  const message = ((): Message => {
    switch (known) {
      case 'advance':
        return { name: known, to: oneOf('to', ['in_progress', 'completed']), flow_id: id('flow_id'), ...said() };
      case 'resolve':
        return {
          name: known,
          action: oneOf('action', ['retry', 'adopt']),
          attention: text('attention'),
          onboard_id: text('onboard_id')?.toLowerCase(),
          ...said(),
        };
      case 'hold':
      case 'release':
      case 'cancel':
        return { name: known, ...said() };
      case 'look':
        return { name: known, onboard_ids: ids('onboard_ids'), ...said() };
      case 'note':
        return { name: known, text: text('text', cleanText, true) ?? '', by: text('by'), key: key() };
    }
  })();
  return wrong.length > 0 ? { name: label, unreadable: wrong.join('; ') } : message;
}
