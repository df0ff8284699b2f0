/** What looks tell: about an effect whose outcome is unknown, of the onboard that a person wants, or as a check. */
import type { LookResult, SeenOnboard } from '../activities/outcomes';
import { adopted, backoff, duplicate, keyRefused, LOOKS_AFTER, reached, refused, unusable } from './effect';
import { hasReached, isStatus, type Status } from './lifecycle';
import { clearAttention, needAttention, settleEntry, take, tell, type Onboard, type Pursuit } from './onboard';

const targetOf = ({ effect }: Pursuit): Status => (effect === 'create' ? 'created' : effect);

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

const sameId = (a: string | undefined, b: string | undefined) =>
  a !== undefined && a.toLowerCase() === b?.toLowerCase();
const idsOf = (onboards: SeenOnboard[]) => onboards.map(({ record }) => record.id.toLowerCase());
