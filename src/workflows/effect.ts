/**
 * One attempt, then look: the discipline that every upstream effect follows (design: "At most one onboard for an
 * invitation"). What an attempt or a look came to goes in; the onboard changes; `nextStep` says what follows.
 */
import type { LookResult, Outcome, SeenOnboard } from '../activities/outcomes';
import { hasReached, isStatus, type Status } from './lifecycle';
import {
  clearAttention,
  cut,
  NAME,
  needAttention,
  newPursuit,
  settleEntry,
  take,
  tell,
  type Onboard,
  type Pursuit,
} from './onboard';

/** Absence is believed only from looks sent this many settle times after the attempt can no longer send. */
const LOOKS_AFTER = [1, 2, 4] as const;
const UNUSABLE_LOOKS = 5;

const doubling = (first: number, times: number, most: number) => Math.min(first * 2 ** Math.min(times, 20), most);
const backoff = ({ policy }: Onboard, failures: number) => doubling(policy.backoff_ms, failures, 60_000);
const keyBackoff = ({ policy }: Onboard, failures: number) =>
  doubling(policy.credentials_backoff_ms, failures, 300_000);
const targetOf = ({ effect }: Pursuit): Status => (effect === 'create' ? 'created' : effect);

/** Takes in what became of the attempt that was out. */
export function absorbOutcome(onboard: Onboard, outcome: Outcome, now: number): void {
  const pursuit = onboard.pursuit ?? newPursuit('create', now);
  onboard.pursuit = pursuit;
  pursuit.stage = 'due';
  const name = pursuit.effect === 'create' ? 'creating the onboard' : `moving it to ${pursuit.effect}`;

  if (outcome.kind !== 'credentials' && outcome.kind !== 'not_sent') clearAttention(onboard, now, 'credentials');
  if (outcome.kind !== 'not_sent' || !outcome.unusable_look) {
    pursuit.unusable = 0;
    if (outcome.kind !== 'credentials') clearAttention(onboard, now, 'list_unreadable');
  }
  if (outcome.kind !== 'not_listed') pursuit.missing_since = undefined;

  switch (outcome.kind) {
    case 'done':
      if (!outcome.adopted) pursuit.acts += 1;
      return reached(onboard, outcome.seen, now, outcome.adopted ? 'adopted' : 'done', outcome.http_status);
    case 'not_sent':
      settleEntry(onboard, pursuit.effect, now, {
        outcome: 'not_sent',
        words: outcome.words,
        http_status: outcome.http_status,
      });
      tell(onboard, now, 'not_sent', { detail: `${name}: ${outcome.words}` });
      pursuit.at = now + Math.max(backoff(onboard, pursuit.failures), outcome.retry_after_ms ?? 0);
      pursuit.failures += 1;
      if (outcome.unusable_look) unusable(onboard, pursuit, outcome.words, now);
      return;
    case 'not_listed':
      settleEntry(onboard, pursuit.effect, now, { outcome: 'not_sent', words: outcome.words });
      tell(onboard, now, 'not_sent', { detail: `${name}: ${outcome.words}` });
      pursuit.missing_since ??= now;
      pursuit.at = now + onboard.policy.settle_ms;
      if (now >= pursuit.missing_since + LOOKS_AFTER[2] * onboard.policy.settle_ms)
        needAttention(onboard, now, 'not_listed', `${outcome.words} It may have been removed there.`);
      return;
    case 'refused':
      settleEntry(onboard, pursuit.effect, now, {
        outcome: 'refused',
        words: outcome.words,
        http_status: outcome.http_status,
      });
      tell(onboard, now, 'refused', { detail: `${name}: HTTP ${outcome.http_status}, ${outcome.words}` });
      if (!outcome.look_first) return refused(onboard, outcome.words, now);
      Object.assign(pursuit, { stage: 'unknown', at: now, refusal: outcome.words, absences: 0 });
      // "It exists" may be true before the list shows it: no retry before that.
      pursuit.clear_at = now + onboard.policy.settle_ms;
      return;
    case 'credentials':
      settleEntry(onboard, pursuit.effect, now, {
        outcome: 'refused',
        words: outcome.words,
        http_status: outcome.http_status,
      });
      return keyRefused(onboard, pursuit, outcome.words, outcome.http_status, now);
    case 'unknown':
      pursuit.acts += 1;
      settleEntry(onboard, pursuit.effect, now, {
        outcome: 'unknown',
        words: outcome.words,
        http_status: outcome.http_status,
      });
      tell(onboard, now, 'unknown', { detail: `${name}: ${outcome.words}` });
      Object.assign(pursuit, { stage: 'unknown', at: now, failures: 0, absences: 0, refusal: undefined });
      pursuit.clear_at = now + (outcome.may_send_for_ms ?? 0);
      return;
    case 'duplicate':
      settleEntry(onboard, pursuit.effect, now, {
        outcome: 'not_sent',
        words: 'more than one onboard is there already',
      });
      return duplicate(onboard, outcome.onboard_ids, now);
    case 'unexpected':
      settleEntry(onboard, pursuit.effect, now, {
        outcome: 'not_sent',
        words: `it stands at "${cut(outcome.seen.status, NAME)}"`,
      });
      return take(onboard, outcome.seen, now);
  }
}

/** Takes in what a look told: about an effect whose outcome is unknown, or as a check. */
export function absorbLook(onboard: Onboard, look: LookResult, now: number): void {
  const { pursuit, check } = onboard;
  const about = pursuit && (pursuit.stage === 'unknown' || pursuit.stage === 'adopting') ? pursuit : check;
  if (!about) return;
  if (look.kind === 'credentials') return keyRefused(onboard, about, look.words, look.http_status, now);
  if (look.kind === 'unusable') {
    about.at = now + Math.max(backoff(onboard, about.unusable), look.retry_after_ms ?? 0);
    return unusable(onboard, about, look.words, now);
  }
  about.unusable = 0;
  about.failures = 0;
  clearAttention(onboard, now, 'credentials', 'list_unreadable');
  const listed = look.onboards.filter(({ record }) => !onboard.ruled_out.includes(record.id.toLowerCase()));
  if (about === check) return checked(onboard, check, listed, now);
  if (pursuit?.stage === 'adopting') return adopt(onboard, pursuit, look.onboards, now);
  if (pursuit) settle(onboard, pursuit, listed, look.presence, now);
}

/** A look after an unknown: presence counts at any time, absence only when it is proof. */
function settle(onboard: Onboard, pursuit: Pursuit, listed: SeenOnboard[], presence: boolean, now: number): void {
  if (listed.length > 1) return duplicate(onboard, idsOf(listed), now);
  const found =
    pursuit.effect === 'create' ? listed[0] : listed.find(({ record }) => sameId(record.id, onboard.record?.id));
  if (found && isStatus(found.status) && hasReached(found.status, targetOf(pursuit)))
    return reached(onboard, found, now, 'adopted');
  if (found && !isStatus(found.status)) {
    pursuit.stage = 'due';
    if (pursuit.effect === 'create') {
      onboard.pursuit = undefined;
      settleEntry(onboard, 'create', now, { outcome: 'adopted', onboard_id: found.record.id });
      adopted(onboard, found, now);
    }
    return take(onboard, found, now);
  }
  if (pursuit.refusal !== undefined) {
    pursuit.stage = 'due';
    return refused(onboard, pursuit.refusal, now);
  }
  absent(onboard, pursuit, found !== undefined, presence, now);
}

function absent(onboard: Onboard, pursuit: Pursuit, listed: boolean, presence: boolean, now: number): void {
  const { settle_ms } = onboard.policy;
  const factor = LOOKS_AFTER[pursuit.absences as 0 | 1 | 2];
  if (now < pursuit.clear_at + factor * settle_ms) {
    pursuit.at = pursuit.clear_at + factor * settle_ms;
    return;
  }
  // For a PUT, the record's own presence in the list is the proof that the list can be believed.
  if (!(pursuit.effect === 'create' ? presence : listed)) {
    pursuit.at = now + settle_ms;
    return needAttention(
      onboard,
      now,
      'absence_unproven',
      pursuit.effect === 'create'
        ? "LeadConduit's list does not show the onboard, but it has not yet shown any that was created here: it may be hidden."
        : "LeadConduit's list does not show this onboard any more, so it cannot tell whether the call took effect.",
    );
  }
  clearAttention(onboard, now, 'absence_unproven');
  pursuit.absences += 1;
  tell(onboard, now, 'absent', {
    detail: `look ${pursuit.absences} of ${LOOKS_AFTER.length} does not show the effect`,
  });
  if (pursuit.absences < LOOKS_AFTER.length) {
    pursuit.at = Math.max(now, pursuit.clear_at + LOOKS_AFTER[pursuit.absences as 1 | 2] * settle_ms);
    return;
  }
  pursuit.stage = 'due';
  pursuit.at = now;
  if (pursuit.effect !== 'completed' && !pursuit.repeated) {
    pursuit.repeated = true;
    return tell(onboard, now, 'repeated', { detail: `${pursuit.effect} is sent once more` });
  }
  needAttention(
    onboard,
    now,
    'unknown_outcome',
    `The answer to the ${pursuit.effect === 'create' ? 'create call' : `call for ${pursuit.effect}`} was lost, and LeadConduit's list does not show its effect.`,
  );
}

/** A person chose the onboard that is there (`resolve adopt`). */
function adopt(onboard: Onboard, pursuit: Pursuit, onboards: SeenOnboard[], now: number): void {
  const answers = pursuit.adopt?.answers;
  const wanted = pursuit.adopt?.onboard_id;
  const fits = wanted ? onboards.filter(({ record }) => sameId(record.id, wanted)) : onboards;
  pursuit.adopt = undefined;
  const [only] = fits;
  if (only && fits.length === 1) {
    onboard.ruled_out = idsOf(onboards).filter((id) => !sameId(id, only.record.id));
    return reached(onboard, only, now, 'adopted');
  }
  pursuit.stage = 'due';
  pursuit.at = now;
  if (fits.length > 1) return duplicate(onboard, idsOf(fits), now);
  needAttention(
    onboard,
    now,
    answers?.code ?? 'unknown_outcome',
    `LeadConduit's list shows ${wanted ? `no onboard ${wanted}` : 'no onboard'} for this invitation: nothing to adopt. ${answers?.message ?? ''}`,
  );
}

/** A look that is not about an effect: nobody else's second onboard, no failure after the fact. */
function checked(onboard: Onboard, check: NonNullable<Onboard['check']>, listed: SeenOnboard[], now: number): void {
  onboard.check = undefined;
  if (listed.length > 1) return duplicate(onboard, idsOf(listed), now);
  const own = listed.find(({ record }) => sameId(record.id, onboard.record?.id));
  if (!own) {
    if (check.why === 'doubles') return;
    return needAttention(onboard, now, 'not_listed', "LeadConduit's list does not show this onboard any more.");
  }
  const before = onboard.attention;
  // Statuses never go back here, even when the list lags behind.
  if (!isStatus(own.status) || hasReached(own.status, isStatus(onboard.status) ? onboard.status : 'created'))
    take(onboard, own, now);
  if (onboard.attention === before)
    tell(onboard, now, 'checked', { detail: `LeadConduit shows one onboard, ${own.status}` });
}

/** The effect is there: proven by an answer about it, or seen in the list. */
function reached(
  onboard: Onboard,
  seen: SeenOnboard,
  now: number,
  outcome: 'done' | 'adopted',
  http_status?: number,
): void {
  const { pursuit, policy } = onboard;
  const effect = pursuit?.effect ?? 'create';
  settleEntry(onboard, effect, now, {
    outcome,
    onboard_id: seen.record.id,
    http_status,
    words: outcome === 'adopted' ? "seen in LeadConduit's list" : undefined,
  });
  clearAttention(onboard, now);
  onboard.pursuit = undefined;
  if (effect !== 'create') tell(onboard, now, 'moved', { detail: seen.status });
  else if (outcome === 'adopted') adopted(onboard, seen, now);
  else {
    onboard.origin = 'created';
    tell(onboard, now, 'created', { detail: seen.record.id });
  }
  take(onboard, seen, now);
  if (effect === 'create') compareFlows(onboard, now);
  // A late call of another try or another run may still land: look once more when it would be seen.
  if ((pursuit?.acts ?? 0) > 1 || (effect === 'create' && onboard.follows_run))
    onboard.check = { at: now + policy.settle_ms, why: 'doubles', failures: 0, unusable: 0 };
  // The set-up runs after the completing call has been answered and may fail then.
  if (effect === 'completed' && policy.confirm_ms > 0)
    onboard.check = { at: now + policy.confirm_ms, why: 'confirm', failures: 0, unusable: 0 };
}

/** A record that came with another flow than the one asked for is for a person to decide. */
function compareFlows(onboard: Onboard, now: number): void {
  const { requested_flow_id: asked } = onboard;
  const flow = onboard.record?.flow_id?.toLowerCase();
  if (asked && flow && asked !== flow && isStatus(onboard.status))
    needAttention(
      onboard,
      now,
      'flow_conflict',
      `Flow ${asked} was asked for, but LeadConduit's record has flow ${flow}.`,
    );
}

function adopted(onboard: Onboard, seen: SeenOnboard, now: number): void {
  onboard.origin = 'adopted';
  tell(onboard, now, 'adopted', { detail: `${seen.record.id}, found as ${cut(seen.status, NAME)}` });
}

function refused(onboard: Onboard, words: string, now: number): void {
  needAttention(onboard, now, 'refused', `LeadConduit refused: ${words}`);
}

function duplicate(onboard: Onboard, ids: string[], now: number): void {
  if (onboard.pursuit) onboard.pursuit.stage = 'due';
  needAttention(
    onboard,
    now,
    'duplicate',
    `LeadConduit shows ${ids.length} onboards for this invitation: ${ids.slice(0, 10).join(', ')}. Nothing more is sent.`,
  );
}

function keyRefused(
  onboard: Onboard,
  about: Pursuit | NonNullable<Onboard['check']>,
  words: string,
  status: number,
  now: number,
): void {
  about.at = now + keyBackoff(onboard, about.failures);
  about.failures += 1;
  needAttention(
    onboard,
    now,
    'credentials',
    `LeadConduit refuses our key (HTTP ${status}): ${words}. Tried again by itself; every onboard goes on when the key works.`,
  );
}

function unusable(onboard: Onboard, about: { unusable: number }, words: string, now: number): void {
  about.unusable += 1;
  if (about.unusable >= UNUSABLE_LOOKS)
    needAttention(
      onboard,
      now,
      'list_unreadable',
      `LeadConduit's list could not be read ${UNUSABLE_LOOKS} times in a row; looking goes on. The last: ${words}`,
    );
}

export const sameId = (a: string | undefined, b: string | undefined) =>
  a !== undefined && a.toLowerCase() === b?.toLowerCase();
const idsOf = (onboards: SeenOnboard[]) => onboards.map(({ record }) => record.id.toLowerCase());
