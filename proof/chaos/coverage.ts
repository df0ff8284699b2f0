/** Which faults a crash run has met: with too few of a kind, it has shown nothing about that kind. */
import type { AttentionCode } from '../../src/onboard/attention';
import type { OnboardView } from '../../src/onboard/view';
import type { TimelineLine } from '../../src/onboard/journal';
import type { Elsewhere } from './another-client';
import { OURS } from './journal';
import type { Evidence } from './oracle';
import type { Said } from './people';
import { AMBIGUOUS, CLEAR_STATUSES, LIMIT_MS, LISTS, OLD_LOOK_MS, type Fault } from './plan';

export const ENOUGH = 5;

/** Counts as text. */
export const words = (counts: Record<string, number>) =>
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name.replaceAll('_', ' ')}`)
    .join(', ') || 'none';

/** The codes of the attentions that were raised, in their order. */
export const attentions = (lines: TimelineLine[]) =>
  lines.flatMap(({ event, detail = '' }) => (event === 'attention' ? [detail.split(':')[0] as AttentionCode] : []));

/** How often something was met, in each of its ways. */
type Met = Record<string, number>;

/** How often each kind of ambiguous fault was met, with the effect and without; a slow call always has its effect in the end. */
export function coverage(evidence: Evidence): Record<string, Met> {
  const { faults, runs, blows } = evidence;
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
  const looks = (is: (fault: Fault) => boolean) => {
    const these = (list: Fault[]) => list.filter((fault) => fault.on === 'GET' && is(fault)).length;
    return { met: these(faults.planned) - these(faults.left) };
  };
  return {
    ...kinds,
    'worker gone': workerGone(runs),
    ...Object.fromEntries(LISTS.map((kind) => [`list: ${kind}`, looks((fault) => fault.do === kind)])),
    'list: slow': looks(({ when, ms }) => when === 'after' && ms === OLD_LOOK_MS),
    'hold or cancel': thoughtBetter(evidence),
    'another client': elsewhere(evidence),
    'SDK shut down': { noticed: blows.noticed.length },
  };
}

/** Calls whose worker stopped responding, by what the looks after them showed first. */
function workerGone(runs: Map<string, OnboardView[]>): Met {
  const met = { without_effect: 0, with_effect: 0 };
  for (const { timeline } of [...runs.values()].flat())
    for (const [n, { event, detail }] of timeline.entries()) {
      if (event !== 'unknown' || detail?.includes('stopped responding') !== true) continue;
      const shown = timeline.slice(n + 1).find((line) => ['adopted', 'moved', 'absent'].includes(line.event));
      if (shown) met[shown.event === 'absent' ? 'without_effect' : 'with_effect'] += 1;
    }
  return met;
}

/** Holds and cancels that were accepted while a call was out: before its first byte, which then never left, and after it. */
function thoughtBetter({ said, runs, journal }: Evidence): Met {
  const before_the_first_byte = [...runs.values()]
    .flat()
    .flatMap(({ timeline }) => timeline)
    .filter(({ event, detail = '' }) => event === 'not_sent' && detail.includes('called back')).length;
  const wasSent = ({ invitation_id, wasOut, answeredAt: [at = 0] }: Said) =>
    wasOut === true &&
    journal.arrivals.some(
      (one) => one.from === OURS && one.invitation_id === invitation_id && one.at < at && one.at > at - LIMIT_MS,
    );
  const after_the_first_byte = said.filter(({ deed }) => ['hold', 'cancel'].includes(deed.do)).filter(wasSent).length;
  return { before_the_first_byte, after_the_first_byte };
}

/** What another client did, by what came of it. */
function elsewhere({ elsewhere: done, runs, ledger }: Evidence): Met {
  const told = (what: Elsewhere['did'], code?: AttentionCode) =>
    done.filter(({ did, invitation_id: id }) => {
      const lines = (runs.get(id) ?? []).flatMap(({ timeline }) => timeline);
      return did === what && (code === undefined || attentions(lines).includes(code));
    });
  return {
    created_first: told('creates').filter(({ invitation_id: id }) => (ledger[id]?.creates ?? 0) === 0).length,
    doubles_told: told('creates', 'duplicate').length,
    flows_told: told('sets the flow', 'flow_conflict').length,
    statuses_told: told('takes the status back', 'unexpected_status').length,
    completed_first: told('completes').filter(({ invitation_id: id }) => (ledger[id]?.completes ?? 0) === 0).length,
  };
}
