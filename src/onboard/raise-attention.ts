/** What a person has to know or to decide, and what of it goes away by itself. */
import type { Effect } from './lifecycle';
import type { AttentionCode } from '../workflows/messages';
import { iso, tell } from './journal';
import type { Onboard, Watch } from './state';
import { cleanLine, cleanText } from './text';

export const UNUSABLE_LOOKS = 5;
/** With the default back-off after some six minutes. */
export const UNSENT_TRIES = 12;

const doubling = (first: number, times: number, most: number) => Math.min(first * 2 ** Math.min(times, 20), most);
export const backoff = ({ policy }: Onboard, failures: number) => doubling(policy.backoff_ms, failures, 60_000);
const keyBackoff = ({ policy }: Onboard, failures: number) =>
  doubling(policy.credentials_backoff_ms, failures, 300_000);

/** Attention that a look or a good key clears by itself; everything else waits for a person. */
const CLEARS_ITSELF: readonly AttentionCode[] = ['credentials', 'absence_unproven', 'list_unreadable', 'not_sent'];
export const needsPerson = (onboard: Onboard) =>
  onboard.attention !== undefined && !CLEARS_ITSELF.includes(onboard.attention.code);

/** While nothing may be sent, a look tells whether these are over. */
export const isClearedByLook = ({ attention }: Onboard) =>
  attention?.code === 'credentials' || attention?.code === 'list_unreadable';

export function needAttention(onboard: Onboard, now: number, code: AttentionCode, message: string): void {
  const words = cleanText(message);
  if (onboard.attention?.code === code && (!needsPerson(onboard) || onboard.attention.message === words)) {
    // It is so still, by what was seen just now: whoever answers it answers that.
    onboard.raised_in = onboard.heard_in;
    return;
  }
  onboard.attentions += 1;
  // With the time: an answer to a question of an earlier run must not pass for one to this.
  const id = `a${onboard.attentions}-${Math.floor(now / 1_000).toString(36)}`;
  onboard.attention = { id, code, message: words, since: iso(now) };
  onboard.raised_in = onboard.heard_in;
  tell(onboard, now, 'attention', { detail: `${code}: ${message}` });
}

export function clearAttention(onboard: Onboard, now: number, ...codes: AttentionCode[]): void {
  if (!onboard.attention || (codes.length > 0 && !codes.includes(onboard.attention.code))) return;
  tell(onboard, now, 'attention_cleared', { detail: onboard.attention.code });
  onboard.attention = undefined;
}

export function refused(onboard: Onboard, words: string, now: number): void {
  needAttention(onboard, now, 'refused', `LeadConduit refused: ${words}`);
}

export function duplicate(onboard: Onboard, ids: string[], now: number): void {
  // Nobody chooses against an onboard that they were not told of: with more than these, nobody can be told of all.
  onboard.shown = ids.slice(0, SHOWN).map((id) => cleanLine(id));
  const named = `${onboard.shown.slice(0, NAMED).join(', ')}${ids.length > NAMED ? ' and others' : ''}`;
  needAttention(
    onboard,
    now,
    'duplicate',
    `LeadConduit has shown ${ids.length} onboards for this invitation: ${named}. Nothing more is sent.`,
  );
}
/** Of the onboards of one invitation: so many are known by their ids, and so many are named in the message. */
const SHOWN = 2_000;
const NAMED = 50;

export function keyRefused(onboard: Onboard, about: Watch, words: string, status: number, now: number): void {
  about.at = now + keyBackoff(onboard, about.failures);
  about.failures += 1;
  needAttention(
    onboard,
    now,
    'credentials',
    `LeadConduit refuses our key (HTTP ${status}): ${words}. Tried again by itself; every onboard goes on when the key works.`,
  );
}

/** @param look the last of several: what is wrong with the list, and what it lacks of what it has shown before */
export function unusable(
  onboard: Onboard,
  about: Watch,
  { words, lacks = [] }: { words: string; lacks?: string[] },
  now: number,
): void {
  about.unusable += 1;
  onboard.lacked = lacks;
  if (about.unusable < UNUSABLE_LOOKS) return;
  const what = lacks.length > 0 ? 'could not be relied on' : 'could not be read';
  const todo = lacks.length > 0 ? ` ${goneWords(lacks)}` : '';
  needAttention(
    onboard,
    now,
    'list_unreadable',
    `LeadConduit's list ${what} ${UNUSABLE_LOOKS} times in a row; looking goes on. The last: ${words}.${todo}`,
  );
}

export const goneWords = ([id = '']: readonly string[]) =>
  `Nothing is sent on its word. If you see in LeadConduit that onboard ${id} was removed, resolve this with retry and this onboard id.`;

export function unsent(onboard: Onboard, { effect }: { effect: Effect }, words: string, now: number): void {
  const what = effect === 'create' ? 'the create call' : `the call for ${effect}`;
  const message = `${UNSENT_TRIES} times in a row ${what} was not sent; it is tried again by itself. The last: ${words}`;
  needAttention(onboard, now, 'not_sent', message);
}
