/** Raises and clears attention. */
import { ruleOf, type Attention, type AttentionCode } from './attention';
import { iso, log } from './journal';
import { EFFECTS, type Effect } from './lifecycle';
import { keyBackoff, UNSENT_TRIES, UNUSABLE_LOOKS, type Schedule } from './schedule';
import type { OnboardState } from './state';
import { cleanLine, cleanText } from './text';

type MaybeAsking = { attention?: Pick<Attention, 'code'> };

/** Whether the attention stays until a person answers it. Any other is cleared by a look or a call that succeeds. */
export const needsPerson = ({ attention }: MaybeAsking): boolean => ruleOf(attention)?.endedBy === 'answer';

/** Whether a look alone can clear the attention, even while nothing may be sent. */
export const isClearedByLook = ({ attention }: MaybeAsking): boolean => ruleOf(attention)?.endedBy === 'look';

export function needAttention(onboard: OnboardState, now: number, code: AttentionCode, message: string): void {
  const words = cleanText(message);
  const { attention: open, evidence } = onboard;
  if (open?.code === code && (!needsPerson(onboard) || open.message === words)) {
    // The question is still the same, but an answer now refers to what was seen just now.
    Object.assign(open, { message: words, evidence });
    return;
  }
  onboard.attentions += 1;
  // The id holds the time, so that an answer to a question of an earlier run does not pass for one to this.
  const id = `a${onboard.attentions}-${Math.floor(now / 1_000).toString(36)}`;
  onboard.attention = { id, code, message: words, since: iso(now), evidence };
  log(onboard, now, 'attention', { detail: `${code}: ${message}` });
}

/** @param codes clears only these; without any, whatever is open */
export function clearAttention(onboard: OnboardState, now: number, ...codes: AttentionCode[]): void {
  if (!onboard.attention || (codes.length > 0 && !codes.includes(onboard.attention.code))) return;
  log(onboard, now, 'attention_cleared', { detail: onboard.attention.code });
  onboard.attention = undefined;
  onboard.lacked = [];
}

export function raiseRefused(onboard: OnboardState, words: string, now: number): void {
  needAttention(onboard, now, 'refused', `LeadConduit refused: ${words}`);
}

/** Of the onboards of one invitation, at most this many are kept in `offered`, and this many are named in the message. */
const SHOWN = 2_000;
const NAMED = 50;

export function raiseDuplicate(onboard: OnboardState, ids: string[], now: number): void {
  // A person can rule out only the onboards in `offered`, see `adoptListed`.
  onboard.offered = ids.slice(0, SHOWN).map((id) => cleanLine(id));
  const named = `${onboard.offered.slice(0, NAMED).join(', ')}${ids.length > NAMED ? ' and others' : ''}`;
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
    `LeadConduit refuses our key (HTTP ${http_status}): ${words}. It is tried again automatically; every onboard goes on when the key works.`,
  );
}

/**
 * Counts one more look that could not be used, and raises attention after several in a row.
 * @param look what is wrong with the list, and which onboards it lacks although it must show them
 */
export function raiseUnusable(
  onboard: OnboardState,
  schedule: Schedule,
  { words, lacks = [] }: { words: string; lacks?: string[] },
  now: number,
): void {
  schedule.unusable_looks += 1;
  if (schedule.unusable_looks < UNUSABLE_LOOKS) return;
  // A failed look says nothing of what the last list lacked, so people go on seeing that.
  if (lacks.length === 0 && onboard.lacked.length > 0) return;
  onboard.lacked = lacks;
  const what = lacks.length > 0 ? 'could not be relied on' : 'could not be read';
  const todo = lacks.length > 0 ? ` ${goneWords(lacks)}` : '';
  needAttention(
    onboard,
    now,
    'list_unreadable',
    `LeadConduit's list ${what} ${UNUSABLE_LOOKS} times in a row; it is read again by itself. The last problem: ${words}.${todo}`,
  );
}

/** What a person can do about a list that lacks an onboard. */
export const goneWords = ([id = '']: readonly string[]): string =>
  `Nothing is sent on the basis of this list. If you see in LeadConduit that onboard ${id} was removed, resolve this with retry and this onboard id.`;

export function raiseUnsent(onboard: OnboardState, effect: Effect, words: string, now: number): void {
  const message = `${UNSENT_TRIES} times in a row ${EFFECTS[effect].call} was not sent. It is tried again automatically unless the onboard is held. The last reason: ${words}`;
  needAttention(onboard, now, 'not_sent', message);
}
