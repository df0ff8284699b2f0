/** Asks for a person, and stops asking. */
import { ruleOf, type Attention, type AttentionCode } from './attention';
import { iso, log } from './journal';
import { EFFECTS, type Effect } from './lifecycle';
import { keyBackoff, UNSENT_TRIES, UNUSABLE_LOOKS, type Schedule } from './schedule';
import type { OnboardState } from './state';
import { cleanLine, cleanText } from './text';

type MaybeAsking = { attention?: Pick<Attention, 'code'> };

/** It stays until a person answers; other attention is cleared by a look or a call that succeeds. */
export const needsPerson = ({ attention }: MaybeAsking): boolean => ruleOf(attention)?.endedBy === 'answer';

/** While nothing may be sent, a look tells whether it is over. */
export const isClearedByLook = ({ attention }: MaybeAsking): boolean => ruleOf(attention)?.endedBy === 'look';

export function needAttention(onboard: OnboardState, now: number, code: AttentionCode, message: string): void {
  const words = cleanText(message);
  const { attention: open, evidence } = onboard;
  if (open?.code === code && (!needsPerson(onboard) || open.message === words)) {
    // It is so still, by what was seen just now: whoever answers it answers that.
    Object.assign(open, { message: words, evidence });
    return;
  }
  onboard.attentions += 1;
  // With the time: an answer to a question of an earlier run must not pass for one to this.
  const id = `a${onboard.attentions}-${Math.floor(now / 1_000).toString(36)}`;
  onboard.attention = { id, code, message: words, since: iso(now), evidence };
  log(onboard, now, 'attention', { detail: `${code}: ${message}` });
}

/** @param codes none: whatever is open */
export function clearAttention(onboard: OnboardState, now: number, ...codes: AttentionCode[]): void {
  if (!onboard.attention || (codes.length > 0 && !codes.includes(onboard.attention.code))) return;
  log(onboard, now, 'attention_cleared', { detail: onboard.attention.code });
  onboard.attention = undefined;
  onboard.lacked = [];
}

export function raiseRefused(onboard: OnboardState, words: string, now: number): void {
  needAttention(onboard, now, 'refused', `LeadConduit refused: ${words}`);
}

/** Of the onboards of one invitation: so many are known by their ids, and so many are named in the message. */
const SHOWN = 2_000;
const NAMED = 50;

export function raiseDuplicate(onboard: OnboardState, ids: string[], now: number): void {
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

export function raiseKeyRefused(
  onboard: OnboardState,
  schedule: Schedule,
  { words, http_status }: { words: string; http_status: number },
  now: number,
): void {
  schedule.at = now + keyBackoff(onboard.policy, schedule.failures);
  schedule.failures += 1;
  needAttention(
    onboard,
    now,
    'credentials',
    `LeadConduit refuses our key (HTTP ${http_status}): ${words}. Tried again by itself; every onboard goes on when the key works.`,
  );
}

/**
 * One more look that told nothing; attention after several in a row.
 * @param look what is wrong with the list, and what it lacks of what it has shown before
 */
export function raiseUnusable(
  onboard: OnboardState,
  schedule: Schedule,
  { words, lacks = [] }: { words: string; lacks?: string[] },
  now: number,
): void {
  schedule.unusable_looks += 1;
  if (schedule.unusable_looks < UNUSABLE_LOOKS) return;
  // A look that fails says nothing of what the last one lacked: what people were shown stays.
  if (lacks.length === 0 && onboard.lacked.length > 0) return;
  onboard.lacked = lacks;
  const what = lacks.length > 0 ? 'could not be relied on' : 'could not be read';
  const todo = lacks.length > 0 ? ` ${goneWords(lacks)}` : '';
  needAttention(
    onboard,
    now,
    'list_unreadable',
    `LeadConduit's list ${what} ${UNUSABLE_LOOKS} times in a row; looking goes on. The last: ${words}.${todo}`,
  );
}

/** What a person can do about a list that lacks an onboard. */
export const goneWords = ([id = '']: readonly string[]): string =>
  `Nothing is sent on its word. If you see in LeadConduit that onboard ${id} was removed, resolve this with retry and this onboard id.`;

export function raiseUnsent(onboard: OnboardState, effect: Effect, words: string, now: number): void {
  const message = `${UNSENT_TRIES} times in a row ${EFFECTS[effect].call} was not sent; unless it is held, it is tried again by itself. The last: ${words}`;
  needAttention(onboard, now, 'not_sent', message);
}
