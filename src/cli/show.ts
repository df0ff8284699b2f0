import type { OnboardState, TimelineLine } from '../workflows/messages';
import { painter, table, type Screen } from './terminal';
import { visibleIn } from '../text';
import { CALL, EVENT, LANDED, SELLER, span, WHO } from '../onboard/words';
import { commandFor, inWords, PROGRAM, time } from './words';

const NEWEST = 15;

/** Everything about an onboard on one screen: for somebody who is woken by it. */
export function showText(raw: OnboardState, screen: Screen): string {
  const state = visibleIn(raw);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const sections = [
    ...standing(state, screen),
    section('Sent to LeadConduit', sent(state, screen), screen),
    section('Who did what', told(state, screen), screen),
    painter(screen)('dim', `As of ${time(state.as_of)} (${zone}).`),
  ];
  return sections.filter(Boolean).join('\n\n');
}

/** Where it stands now, without its history: the answer to a command. */
export function briefText(headline: string, raw: OnboardState, screen: Screen): string {
  const state = visibleIn(raw);
  const more = `More: ${PROGRAM} show ${state.invitation_id}`;
  return [headline, ...standing(state, screen), more].filter(Boolean).join('\n\n');
}

function standing(state: OnboardState, screen: Screen): string[] {
  const { stale, phase, attention, waiting_for } = state;
  return [
    stale && waiting_for.who !== 'nobody' ? painter(screen)('yellow', `It waits for ${waiting_for.text}`) : '',
    facts(state, screen),
    attention && phase === 'attention'
      ? section(`Attention ${attention.id}: ${attention.code}`, table([[attention.message]], screen), screen, 'red')
      : '',
    section('What may be done', commands(state, screen), screen),
  ];
}

/** The words beside them are for screens that have the room: a command to be copied is never broken up. */
function commands(state: OnboardState, { width = Infinity, ...screen }: Screen): string[] {
  const rows = state.actions.map((action) => commandFor(action, state));
  const lines = table(rows, screen);
  return lines.every(({ length }) => length <= width) ? lines : rows.map(([command]) => `  ${command}`);
}

function section(title: string, lines: string[], screen: Screen, style: 'bold' | 'red' = 'bold'): string {
  return lines.length > 0 ? [painter(screen)(style, title), ...lines].join('\n') : '';
}

function facts(state: OnboardState, screen: Screen): string {
  const { record, label, requested_flow_id, status, phase, since, held, actions } = state;
  const flow = requested_flow_id ?? record?.flow_id;
  const rows = [
    ['Invitation', state.invitation_id],
    ['Label', label],
    ['Onboard', record?.id],
    ['Flow', flow ?? (actions.includes('advance in_progress') ? 'none yet (advance --flow-id sets it)' : undefined)],
    ['Status', status ?? 'not created yet'],
    ['Phase', `${phase}, for ${span(screen.now - Date.parse(since))} (since ${time(since)})`],
    ['Held', held && phase !== 'held' ? 'yes: nothing is sent until it is released' : undefined],
    ['Waits for', waitsFor(state)],
    ['Next', nextOf(state, screen.now)],
    // The workflow says so itself once it is done.
    ['Remember', status === 'completed' && phase !== 'done' ? SELLER : undefined],
  ];
  return table(
    rows.filter((row): row is [string, string] => row[1] !== undefined),
    screen,
    0,
  ).join('\n');
}

/** Without a worker it stands above; the message of an attention stands below; what an end leaves to do comes next. */
function waitsFor({ attention, stale, waiting_for: { who, text } }: OnboardState): string | undefined {
  if (who === 'nobody') return WHO.nobody;
  if (stale) return undefined;
  const message = `: ${attention?.message ?? ''}`;
  return `${WHO[who]}: ${attention && text.endsWith(message) ? text.slice(0, -message.length) : text}`;
}

function nextOf({ next, waiting_for, stale }: OnboardState, now: number): string {
  if (next) return `${next.what} ${inWords(next.at, now)}`;
  if (stale && waiting_for.who !== 'nobody') return 'nothing until a worker carries it on';
  switch (waiting_for.who) {
    case 'operator':
      return 'nothing until somebody acts';
    case 'leadconduit':
      return 'what was sent is followed up until its outcome is known';
    case 'time':
      return 'it goes on by itself in a moment';
    case 'nobody':
      return waiting_for.text;
  }
}

function sent({ ledger, record, stale }: OnboardState, screen: Screen): string[] {
  if (ledger.length === 0) return stale ? [] : ['  nothing yet'];
  const rows = ledger.slice(-NEWEST).map(({ n, effect, intended_at, outcome, onboard_id, http_status, words }) => {
    const details = [
      http_status && `HTTP ${http_status}`,
      onboard_id && onboard_id !== record?.id && `onboard ${onboard_id}`,
      words,
    ];
    return [String(n), time(intended_at), CALL[effect], LANDED[outcome], details.filter(Boolean).join(', ')];
  });
  const paint = painter(screen);
  const lines = table(rows, screen).map((line, i) => (rows[i]?.[3] === LANDED.unknown ? paint('yellow', line) : line));
  return [...older(ledger.length, paint), ...lines];
}

function told({ timeline }: OnboardState, screen: Screen): string[] {
  const rows = timeline.slice(-NEWEST).map(happened);
  return [...older(timeline.length, painter(screen)), ...table(rows, screen)];
}

/** When, who, what. */
export function happened({ at, event, by, reason, detail }: TimelineLine): string[] {
  const what = [EVENT[event], detail].filter(Boolean).join(': ');
  return [time(at), by ?? '', reason ? `${what} (${reason})` : what];
}

const older = (count: number, paint: ReturnType<typeof painter>) =>
  count > NEWEST ? [paint('dim', `  ${count - NEWEST} older: --json shows them`)] : [];
