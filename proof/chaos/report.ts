import { createHash } from 'node:crypto';
import type { OnboardView } from '../../src/onboard/view';
import type { Fleet } from './fleet';
import { coverage, words } from './coverage';
import { inACall, judge, LOST, LOST_MALFORMED, WRONG, type Evidence } from './oracle';
import type { People } from './people';
import type { Fault, Plan } from './plan';

export type Report = ReturnType<typeof reportOf>;

/** The results of a run in numbers. Times in ms. */
export function reportOf(plan: Plan, evidence: Evidence, people: People, fleet: Fleet, took_ms: number) {
  const { lives, onboards, seed, minutes } = plan;
  const ours = lives.map(({ invitation_id }) => evidence.ledger[invitation_id]);
  const sum = (what: 'posts' | 'creates' | 'puts' | 'completes' | 'emails') =>
    ours.reduce((total, effects) => total + (effects?.[what] ?? 0), 0);
  const over = (what: 'creates' | 'completes') => ours.filter((effects) => (effects?.[what] ?? 0) > 1).length;
  const blow = (kind: string) => evidence.blows.dealt.filter((one) => one.do === kind).length;
  const answers = people.said.flatMap((one) => one.answers);
  const answered = (kind: string) => answers.filter((answer) => answer === kind).length;
  const back = [...fleet.serverBack].sort((a, b) => a - b);
  const { planned, left } = evidence.faults;
  const real = (faults: Fault[]) => faults.filter(({ ms }) => ms !== 1).length;
  const checks = judge(evidence);
  const offenders = (...names: string[]) =>
    checks.filter(({ name }) => names.includes(name)).reduce((total, one) => total + one.offenders.length, 0);
  return {
    onboards,
    seed,
    minutes,
    plan_sha256: createHash('sha256').update(JSON.stringify(plan)).digest('hex'),
    took_ms,
    blows: {
      kills: blow('kill'),
      zombies: blow('freeze'),
      zombies_in_a_call: inACall(evidence),
      drains: blow('drain'),
      sdk_shut_down: blow('shut down the SDK'),
      api_kills: blow('kill the API'),
      api_freezes: blow('freeze the API'),
      api_drains: blow('drain the API'),
      server_kills: blow('kill the server'),
      server_freezes: blow('freeze the server'),
      server_drains: blow('drain the server'),
      leadconduit_down: blow('LeadConduit is down'),
      key_refused: blow('the key is refused'),
    },
    started_through_api: lives.filter(({ door }) => door === 'api').length,
    faults: { planned: real(planned), met: real(planned) - real(left), coverage: coverage(evidence) },
    effects: {
      posts: sum('posts'),
      creates: sum('creates'),
      puts: sum('puts'),
      completes: sum('completes'),
      emails: sum('emails'),
    },
    by_another_client: Object.fromEntries(
      ['creates', 'sets the flow', 'takes the status back', 'completes'].map((what) => [
        what.replaceAll(' ', '_'),
        evidence.elsewhere.filter(({ did }) => did === what).length,
      ]),
    ),
    doubled: { onboards: over('creates'), completions: over('completes') },
    lost_messages: offenders(LOST, LOST_MALFORMED),
    wrong_states: offenders(WRONG),
    messages: {
      sent: answers.length,
      accepted: answered('accepted'),
      refused: answered('refused'),
      unsure: answered('unsure'),
      repeated_without_answer: people.repeats,
    },
    attentions: people.attentions,
    recovery: {
      slowest: withTimeline(slowestRecovery(evidence.runs), evidence),
      server_back_median_ms: back[Math.floor(back.length / 2)] ?? 0,
      server_back_worst_ms: back.at(-1) ?? 0,
    },
    deserted_workers: evidence.deserted,
    checks,
  };
}

/** The longest time from the first call for an effect until its outcome was known, ms. */
function slowestRecovery(runs: Map<string, OnboardView[]>): {
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

/** Adds the timeline, which shows why it took so long. */
const withTimeline = <One extends { invitation_id: string }>(one: One, { runs }: Evidence) => ({
  ...one,
  timeline: (runs.get(one.invitation_id) ?? []).flatMap(({ timeline }) => timeline),
});

/** How many offenders of each check are shown; the report has them all. */
const SHOWN = 10;

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

/** The report for people: what happened, then the checks. */
export function tableOf(report: Report): string {
  const { blows, faults, effects, doubled, messages, attentions, recovery, checks } = report;
  const row = (name: string, value: string | number) => `  ${name.padEnd(24)}${value}`;
  return [
    row('onboards', `${report.onboards} in ${seconds(report.took_ms)}, seed ${report.seed}`),
    row('through the API', report.started_through_api),
    row('plan', report.plan_sha256),
    row('blows', words(blows)),
    row('faults', `${faults.met} met of ${faults.planned} planned`),
    ...Object.entries(faults.coverage).map(([kind, met]) => row(`  ${kind}`, words(met))),
    row('effects', words(effects)),
    row('by another client', words(report.by_another_client)),
    row('doubled', words(doubled)),
    row('lost messages', report.lost_messages),
    row('wrong states', report.wrong_states),
    row('messages', words(messages)),
    row('attention', words(attentions)),
    row(
      'slowest recovery',
      `${seconds(recovery.slowest.ms)} (${recovery.slowest.effect} of ${recovery.slowest.invitation_id})`,
    ),
    row(
      'server back',
      `median ${seconds(recovery.server_back_median_ms)}, worst ${seconds(recovery.server_back_worst_ms)}`,
    ),
    '',
    ...checks.flatMap(({ name, passed, offenders }) => [
      `  ${passed ? 'kept  ' : 'BROKEN'}  ${name}`,
      ...offenders.slice(0, SHOWN).map((offender) => `            ${offender}`),
      ...(offenders.length > SHOWN ? [`            … and ${offenders.length - SHOWN} more`] : []),
    ]),
  ].join('\n');
}
