/** Holds what LeadConduit was made to do, its list, and what every run says of itself against each other. */
import type { AttentionCode, OnboardState, TimelineLine } from '../../src/workflows/messages';
import type { Effects, Listed } from './fleet';
import type { Said } from './people';
import { AMBIGUOUS, CLEAR_STATUSES, type Blow, type Fault, type Life } from './plan';

/** What a run has come to, as far as it is known at the end. */
export interface Evidence {
  lives: Life[];
  said: Said[];
  /** Of each invitation the states of all its runs, the latest last. */
  runs: Map<string, OnboardState[]>;
  ledger: Record<string, Effects>;
  list: Listed[];
  faults: { planned: Fault[]; left: Fault[] };
  /** `inHand`: of each worker that was frozen, how many writes it woke up with. */
  blows: { planned: Blow[]; dealt: Blow[]; inHand: number[] };
  deserted: number;
  /** Invitations with a run that does not answer a query. */
  silent: string[];
}

export interface Check {
  name: string;
  passed: boolean;
  /** Those that do not keep it; empty when it passed. */
  offenders: string[];
}

/** Fewer of a kind, with or without effect, and the run has shown nothing about it. */
const ENOUGH = 5;
/** As many should not all be idle. */
const MANY_ZOMBIES = 10;
export const LOST = 'no message was lost or acted on twice';
/** In a crash run nobody else creates or changes an onboard, and LeadConduit has no failures of its own. */
const UNFOUNDED: AttentionCode[] = ['duplicate', 'flow_conflict', 'failed_upstream', 'unexpected_status'];
export const LOST_MALFORMED = 'every malformed message left a line';
export const WRONG = 'each says what LeadConduit says';
const NONE: Effects = { posts: 0, creates: 0, puts: 0, completes: 0, emails: 0 };

export function judge(evidence: Evidence): Check[] {
  const { lives, ledger, list, runs, said } = evidence;
  const effects = (id: string) => ledger[id] ?? NONE;
  const listed = (id: string) => list.filter((one) => one.invitation_id.toLowerCase() === id);
  const last = (id: string) => runs.get(id)?.at(-1);
  const lines = (id: string) => (runs.get(id) ?? []).flatMap(({ timeline }) => timeline);
  const each = (name: string, isKept: (life: Life) => boolean): Check =>
    check(
      name,
      lives.filter((life) => !isKept(life)).map(({ invitation_id }) => invitation_id),
    );

  return [
    each(
      'no invitation has two onboards',
      ({ invitation_id: id }) => effects(id).creates <= 1 && listed(id).length <= 1,
    ),
    each('no onboard was completed twice', ({ invitation_id: id }) => effects(id).completes <= 1),
    each('one e-mail for each completion', ({ invitation_id: id }) => effects(id).emails === effects(id).completes),
    each('every onboard got to where it was sent', ({ invitation_id: id, goal }) => {
      const state = last(id);
      if (goal === 'cancelled') return state?.phase === 'cancelled';
      return state?.phase === 'done' && state.status === 'completed' && effects(id).completes === 1;
    }),
    each('no call is left without an outcome', ({ invitation_id: id }) =>
      (runs.get(id) ?? []).every((run) => run.ledger.every(({ outcome }) => outcome !== 'pending')),
    ),
    each(WRONG, ({ invitation_id: id }) => {
      const [there] = listed(id);
      const state = last(id);
      // Who was told to stop need not know what came of it; what they know must be so.
      if (state?.phase === 'cancelled' && state.record === null) return true;
      return there?.id === state?.record?.id && there?.status === state?.status;
    }),
    each('nobody was asked about what had not happened', ({ invitation_id: id }) =>
      lines(id).every(
        ({ event, detail = '' }) => event !== 'attention' || !UNFOUNDED.some((code) => detail.startsWith(`${code}:`)),
      ),
    ),
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
      `of ${MANY_ZOMBIES} zombies or more, one woke up with a write in hand`,
      evidence.blows.inHand.length < MANY_ZOMBIES || inACall(evidence) > 0 ? [] : ['all were idle'],
    ),
    check(
      `each ambiguous fault was met ${ENOUGH} times or more in either way`,
      Object.entries(coverage(evidence)).flatMap(([kind, met]) =>
        Object.values(met).every((count) => count >= ENOUGH) ? [] : [`${kind}: ${words(met)}`],
      ),
    ),
  ];
}

/** How many zombies had something to finish when they woke up. */
export const inACall = ({ blows: { inHand } }: Evidence) => inHand.filter((count) => count > 0).length;

/** Counts, as they are told. */
export const words = (counts: Record<string, number>) =>
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name.replaceAll('_', ' ')}`)
    .join(', ') || 'none';

const check = (name: string, offenders: string[]): Check => ({ name, passed: offenders.length === 0, offenders });
const named = ({ invitation_id, deed, answers }: Said) =>
  `${invitation_id} ${deed.do} ${deed.key} (${answers.join(', ')})`;

/** A message that was taken left one line of its own; each repetition, at most one more that says that it is one. */
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
    case 'start again':
    case 'follow again':
      return true;
  }
}

/** Asked then for what the onboard had reached, nobody is there any more to write it down; the answer is yes all the same. */
function doneAt(lines: TimelineLine[]): number {
  const done = lines.findLast(({ event }) => event === 'done');
  return done ? Date.parse(done.at) : Infinity;
}

/** How often, in either way. */
type Met = Record<'without_effect' | 'with_effect', number> | Record<'with_early_effect' | 'with_late_effect', number>;

/** How often each kind of ambiguous fault came about: with the effect and without; but a slow call always has it in the end. */
export function coverage({ faults, runs }: Pick<Evidence, 'faults' | 'runs'>): Record<string, Met> {
  const count = (list: Fault[], kind: Fault['do'], when: Fault['when']) =>
    list.filter(
      (fault) =>
        fault.on !== 'GET' &&
        fault.do === kind &&
        fault.when === when &&
        fault.ms !== 1 &&
        !CLEAR_STATUSES.includes(fault.status ?? 0),
    ).length;
  const met = (kind: Fault['do'], when: Fault['when']) =>
    count(faults.planned, kind, when) - count(faults.left, kind, when);
  const kinds = Object.fromEntries(
    AMBIGUOUS.map((kind): [string, Met] => {
      const [before, after] = [met(kind, 'before'), met(kind, 'after')];
      return kind === 'slow'
        ? [kind, { with_early_effect: after, with_late_effect: before }]
        : [kind, { without_effect: before, with_effect: after }];
    }),
  );
  return { ...kinds, 'worker gone': workerGone(runs) };
}

/** Calls whose worker was not heard of again, by what the looks after them showed first. */
function workerGone(runs: Map<string, OnboardState[]>): Met {
  const met = { without_effect: 0, with_effect: 0 };
  for (const { timeline } of [...runs.values()].flat())
    for (const [n, { event, detail }] of timeline.entries()) {
      if (event !== 'unknown' || detail?.includes('not heard of again') !== true) continue;
      const shown = timeline.slice(n + 1).find((line) => ['adopted', 'moved', 'absent'].includes(line.event));
      if (shown) met[shown.event === 'absent' ? 'without_effect' : 'with_effect'] += 1;
    }
  return met;
}

/** From the first call for an effect until its outcome was known, the longest, ms. */
export function slowestRecovery(runs: Map<string, OnboardState[]>): {
  ms: number;
  invitation_id: string;
  effect: string;
} {
  let slowest = { ms: 0, invitation_id: '', effect: '' };
  for (const [invitation_id, states] of runs)
    for (const { ledger } of states)
      for (const effect of new Set(ledger.map((entry) => entry.effect))) {
        const tries = ledger.filter((entry) => entry.effect === effect);
        const ms = Date.parse(tries.at(-1)?.settled_at ?? '') - Date.parse(tries[0]?.intended_at ?? '');
        if (tries.length > 0 && ms > slowest.ms) slowest = { ms, invitation_id, effect };
      }
  return slowest;
}
