/** Compares what LeadConduit was made to do, its list, and what every run says of itself. */
import type { OnboardRecord } from '../../src/leadconduit/schema';
import type { AttentionCode } from '../../src/onboard/attention';
import type { OnboardView } from '../../src/onboard/view';
import type { TimelineLine } from '../../src/onboard/journal';
import type { Elsewhere } from './another-client';
import { attentions, coverage, ENOUGH, words } from './coverage';
import { LAG_MS } from './settings';
import { ANOTHER, OURS, type Effects, type Journal } from './journal';
import type { Said } from './people';
import type { Blow, Fault, Life } from './plan';

/** What is known at the end of a crash run. */
export interface Evidence {
  lives: Life[];
  said: Said[];
  /** Of each invitation the states of all its runs, the latest last. */
  runs: Map<string, OnboardView[]>;
  journal: Journal;
  /** What we did, and what another client did. */
  ledger: Record<string, Effects>;
  others: Record<string, Effects>;
  elsewhere: Elsewhere[];
  list: OnboardRecord[];
  faults: { planned: Fault[]; left: Fault[] };
  /**
   * `inHand`: of each worker that was frozen, how many writes it woke up with. `noticed`: how long each worker whose SDK had
   * shut down lived on, of those that ended by themselves.
   */
  blows: { planned: Blow[]; dealt: Blow[]; inHand: number[]; noticed: number[] };
  deserted: number;
  /** Invitations with a run that does not answer a query. */
  silent: string[];
}

export interface Check {
  name: string;
  passed: boolean;
  /** What does not keep it; empty when it passed. */
  offenders: string[];
}

/** Of this many zombies, not all should have been idle. */
const MANY_ZOMBIES = 10;
export const LOST = 'no message was lost or acted on twice';
export const AFTERWARDS = 'nothing was sent that had not been sent when a hold or a cancel was accepted';
export const UNTOLD = 'every second onboard was told';
export const OVERWRITTEN = 'nothing that another client changed was written over';
/** How long bytes may take to arrive after the last question to Temporal, on a busy machine, ms. */
const LEAVING_MS = 1_000;
/** A second onboard that has been listed for this long (ms) has been in somebody's look. */
const LOOKED_MS = 15_000;
/** A change by another client that is no older than this (ms) may not have been in the look by which our call was made. */
const WINDOW_MS = 10_000;
export const LOST_MALFORMED = 'every malformed message left a line';
export const WRONG = 'each says what LeadConduit says';
const NONE: Effects = { posts: 0, creates: 0, puts: 0, completes: 0, emails: 0 };

export function judge(evidence: Evidence): Check[] {
  const { lives, ledger, list, runs, said } = evidence;
  const effects = (id: string) => ledger[id] ?? NONE;
  const completions = (id: string) => effects(id).completes + (evidence.others[id]?.completes ?? 0);
  const listed = (id: string) => list.filter((one) => one.invitation_id.toLowerCase() === id);
  const theirs = (id: string) => evidence.elsewhere.filter((one) => one.invitation_id === id);
  const last = (id: string) => runs.get(id)?.at(-1);
  const lines = (id: string) => (runs.get(id) ?? []).flatMap(({ timeline }) => timeline);
  const each = (name: string, isKept: (life: Life) => boolean): Check =>
    check(
      name,
      lives.filter((life) => !isKept(life)).map(({ invitation_id }) => invitation_id),
    );

  return [
    each(
      'no invitation has two onboards of ours',
      ({ invitation_id: id }) =>
        effects(id).creates <= 1 && listed(id).length <= 1 + (evidence.others[id]?.creates ?? 0),
    ),
    each(UNTOLD, ({ invitation_id: id }) => isTold(listed(id), lines(id))),
    each('no onboard was completed twice', ({ invitation_id: id }) => completions(id) <= 1),
    each('one e-mail for each completion', ({ invitation_id: id }) => effects(id).emails === effects(id).completes),
    each(OVERWRITTEN, ({ invitation_id: id }) => !isOverwritten(evidence, id)),
    check(AFTERWARDS, said.filter((one) => sentAfter(one, evidence).length > 0).map(named)),
    each('every onboard got to where it was sent', ({ invitation_id: id, goal }) => {
      const state = last(id);
      const isDone = state?.phase === 'done' && state.status === 'completed' && completions(id) === 1;
      // A cancel that came when the onboard was done already was not accepted.
      const isTooLate = !said.some(
        ({ invitation_id, deed, answers }) =>
          invitation_id === id && deed.do === 'cancel' && answers.includes('accepted'),
      );
      return goal === 'cancelled' && !(isDone && isTooLate) ? state?.phase === 'cancelled' : isDone;
    }),
    each('no call is left without an outcome', ({ invitation_id: id }) =>
      (runs.get(id) ?? []).every((run) => run.ledger.every(({ outcome }) => outcome !== 'pending')),
    ),
    each(WRONG, ({ invitation_id: id }) => {
      const state = last(id);
      const there = listed(id).find((one) => one.id === state?.record?.id) ?? listed(id)[0];
      // A run that was told to stop need not know what came of it; what it knows must be so.
      if (state?.phase === 'cancelled' && state.record === null) return true;
      return there?.id === state?.record?.id && there?.status === state?.status;
    }),
    each('nobody was asked about what had not happened', ({ invitation_id: id }) => {
      const did = (what: Elsewhere['did']) => theirs(id).some((one) => one.did === what);
      const isUnfounded: Partial<Record<AttentionCode, boolean>> = {
        duplicate: listed(id).length < 2,
        flow_conflict: !did('sets the flow'),
        unexpected_status: !did('takes the status back'),
        // LeadConduit has no failures of its own here.
        failed_upstream: true,
      };
      const codes = attentions(lines(id));
      return codes.every((code) => isUnfounded[code] !== true);
    }),
    check('every run answers a query', evidence.silent),
    check(LOST, said.filter((one) => !isKept(one, lines(one.invitation_id))).map(named)),
    check(
      LOST_MALFORMED,
      lives
        .filter(({ invitation_id: id }) => {
          const sent = said.filter((one) => one.invitation_id === id && one.deed.do === 'malformed');
          const delivered = sent.flatMap(({ answers }) => answers).filter((answer) => answer === 'accepted').length;
          return (
            lines(id).filter(({ event, by }) => event === 'message_refused' && by === undefined).length < delivered
          );
        })
        .map(({ invitation_id }) => invitation_id),
    ),
    check('no process ended that nobody had struck', evidence.deserted === 0 ? [] : [`${evidence.deserted} processes`]),
    check(
      'every blow that was planned met somebody',
      evidence.blows.planned.filter((blow) => !evidence.blows.dealt.includes(blow)).map((blow) => JSON.stringify(blow)),
    ),
    check(
      'every worker whose SDK had shut down ended by itself',
      evidence.blows.dealt.filter((blow) => blow.do === 'shut down the SDK').length === evidence.blows.noticed.length
        ? []
        : [`only ${evidence.blows.noticed.length} did`],
    ),
    check(
      `of ${MANY_ZOMBIES} zombies or more, one woke up with a write in hand`,
      evidence.blows.inHand.length < MANY_ZOMBIES || inACall(evidence) > 0 ? [] : ['all were idle'],
    ),
    check(
      `each fault was met ${ENOUGH} times or more in each of its ways`,
      Object.entries(coverage(evidence)).flatMap(([kind, met]) =>
        Object.values(met).every((count) => count >= ENOUGH) ? [] : [`${kind}: ${words(met)}`],
      ),
    ),
  ];
}

/** How many zombies had something to finish when they woke up. */
export const inACall = ({ blows: { inHand } }: Evidence) => inHand.filter((count) => count > 0).length;

const check = (name: string, offenders: string[]): Check => ({ name, passed: offenders.length === 0, offenders });
const named = ({ invitation_id, deed, answers }: Said) =>
  `${invitation_id} ${deed.do} ${deed.key} (${answers.join(', ')})`;

/** A message that was accepted has acted once and left a line of its own; one that was refused has not acted. */
function isKept({ deed, answers, answeredAt }: Said, lines: TimelineLine[]): boolean {
  const own = lines.filter(({ by }) => by === deed.key || by === `${deed.key} (via api)`);
  const acted = own.filter(({ event }) => event !== 'message_refused').length;
  const wasTaken = answers.includes('accepted');
  if (acted > 0 && answers.every((answer) => answer === 'refused')) return false;
  switch (deed.do) {
    case 'advance':
      if (deed.as === 'signal') return acted <= 1 && (own.length >= 1 || !wasTaken);
      return (
        acted <= 1 &&
        (acted === 1 || answers.every((answer, n) => answer !== 'accepted' || answeredAt[n]! >= doneAt(lines)))
      );
    case 'note':
      return acted <= 1 && (acted === 1 || !wasTaken);
    case 'hold':
    case 'release':
    case 'cancel':
      return acted <= 1 && (acted === 1 || !wasTaken);
    case 'malformed':
    case 'change elsewhere':
    case 'start again':
    case 'follow again':
      return true;
  }
}

/** When the run was done. An `advance` to a status that it has reached succeeds after that too, but nobody is left to log it. */
function doneAt(lines: TimelineLine[]): number {
  const done = lines.findLast(({ event }) => event === 'done');
  return done ? Date.parse(done.at) : Infinity;
}

/** Whether a second onboard, whoever made it, was told, unless nobody could see it before the run's end. */
function isTold(listed: OnboardRecord[], lines: TimelineLine[]): boolean {
  if (listed.length < 2) return true;
  const [, second = NaN] = listed.map(({ created_at }) => Date.parse(created_at ?? '')).sort((a, b) => a - b);
  const end = lines.findLast(({ event }) => event === 'done' || event === 'cancelled');
  const isTooLate = end !== undefined && Date.parse(end.at) < second + LAG_MS + LOOKED_MS;
  return isTooLate || attentions(lines).includes('duplicate');
}

/** A write of ours that came long enough after another client's change must keep its flow and go on from its status. */
function isOverwritten({ journal: { made, arrivals }, runs }: Evidence, id: string): boolean {
  const ledger = (runs.get(id) ?? []).flatMap((state) => state.ledger);
  const sent = arrivals.filter(({ from, by, invitation_id }) => from === OURS && by === 'PUT' && invitation_id === id);
  const ours = made.filter(({ record }) => record.invitation_id.toLowerCase() === id);
  return ours.some(({ from, record, effect }, n) => {
    const before = ours.slice(0, n).findLast((one) => one.record.id === record.id);
    if (from !== OURS || effect === 'created' || before?.from !== ANOTHER || before.effect === 'created') return false;
    const changed = Date.parse(before.record.updated_at ?? '');
    // A call for which LeadConduit took its time may have come in before the change, and could not know of it.
    const cameIn = sent.findLast(({ at }) => at <= Date.parse(record.updated_at ?? ''))?.at ?? 0;
    if (cameIn < changed + WINDOW_MS) return false;
    // A run whose in_progress was lost cannot know that it was reached, and taken back: that hole is documented.
    const isLost = ledger.some(
      ({ effect: what, outcome, intended_at }) =>
        what === 'in_progress' && outcome === 'unknown' && Date.parse(intended_at) <= changed,
    );
    const wasTakenBack = before.record.status === 'created' && !isLost;
    return before.effect === 'completed' || wasTakenBack || before.record.flow_id !== record.flow_id;
  });
}

/** Calls of ours that came in while nothing was to be sent. */
function sentAfter(one: Said, { said, journal }: Evidence) {
  const { invitation_id, deed, answers, answeredAt, wasOut } = one;
  if ((deed.do !== 'hold' && deed.do !== 'cancel') || answers[0] !== 'accepted') return [];
  const ends = ['follow again', 'start again', ...(deed.do === 'hold' ? ['release'] : [])];
  const from = answeredAt[0]! + (wasOut === true ? LEAVING_MS : 0);
  const end = said
    .slice(said.indexOf(one) + 1)
    .find((later) => later.invitation_id === invitation_id && ends.includes(later.deed.do));
  const to = end?.askedAt ?? Infinity;
  return journal.arrivals.filter(
    (sent) => sent.from === OURS && sent.invitation_id === invitation_id && sent.at > from && sent.at < to,
  );
}
