import type { OnboardView } from '../onboard/view';
import type { TimelineLine } from '../onboard/journal';
import { painter, table, type Screen } from './terminal';
import { visibleIn } from '../visible';
import { OUTCOMES } from '../onboard/journal';
import { EFFECTS } from '../onboard/lifecycle';
import { detailsOf, factsOf, happenedIn, SELLER, span } from '../onboard/words';
import { commandFor, inWords, PROGRAM, time } from './hints';

const NEWEST = 15;

/** Everything about an onboard on one screen, for an operator who has just been paged. */
export function showText(raw: OnboardView, screen: Screen): string {
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
export function briefText(headline: string, raw: OnboardView, screen: Screen): string {
  const state = visibleIn(raw);
  const more = `More: ${PROGRAM} show ${state.invitation_id}`;
  return [headline, ...standing(state, screen), more].filter(Boolean).join('\n\n');
}

function standing(state: OnboardView, screen: Screen): string[] {
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

/** Explains the commands where the screen has room for it. A command is never wrapped, so that it can be copied. */
function commands(state: OnboardView, { width = Infinity, ...screen }: Screen): string[] {
  const rows = state.actions.map((action) => commandFor(action, state));
  const lines = table(rows, screen);
  return lines.every(({ length }) => length <= width) ? lines : rows.map(([command]) => `  ${command}`);
}

function section(title: string, lines: string[], screen: Screen, style: 'bold' | 'red' = 'bold'): string {
  return lines.length > 0 ? [painter(screen)(style, title), ...lines].join('\n') : '';
}

function facts(state: OnboardView, screen: Screen): string {
  const { record, label, status, phase, since, actions } = state;
  const { waitsFor, next, held, flow } = factsOf(state);
  const rows = [
    ['Invitation', state.invitation_id],
    ['Label', label],
    ['Onboard', record?.id],
    ['Flow', flow ?? (actions.includes('advance in_progress') ? 'none yet (advance --flow-id sets it)' : undefined)],
    ['Status', status ?? 'not created yet'],
    ['Phase', `${phase}, for ${span(screen.now - Date.parse(since))} (since ${time(since)})`],
    ['Held', held],
    ['Waits for', waitsFor],
    ['Next', next.at === undefined ? next.text : `${next.text} ${inWords(next.at, screen.now)}`],
    // Once the onboard is done, `Next` says this already.
    ['Still to do', status === 'completed' && phase !== 'done' ? SELLER : undefined],
  ];
  return table(
    rows.filter((row): row is [string, string] => row[1] !== undefined),
    screen,
    0,
  ).join('\n');
}

function sent({ ledger, record, stale }: OnboardView, screen: Screen): string[] {
  if (ledger.length === 0) return stale ? [] : ['  nothing yet'];
  const rows = ledger.slice(-NEWEST).map((entry) => {
    const { n, effect, intended_at, outcome } = entry;
    return [String(n), time(intended_at), EFFECTS[effect].verb, OUTCOMES[outcome], detailsOf(entry, { record })];
  });
  const paint = painter(screen);
  const lines = table(rows, screen).map((line, i) =>
    rows[i]?.[3] === OUTCOMES.unknown ? paint('yellow', line) : line,
  );
  return [...older(ledger.length, paint), ...lines];
}

function told({ timeline }: OnboardView, screen: Screen): string[] {
  const rows = timeline.slice(-NEWEST).map(happened);
  return [...older(timeline.length, painter(screen)), ...table(rows, screen)];
}

/** The cells of a timeline row: when, who, what. */
export function happened(line: TimelineLine): string[] {
  const { at, by, reason } = line;
  const what = happenedIn(line);
  return [time(at), by ?? '', reason ? `${what} (${reason})` : what];
}

const older = (count: number, paint: ReturnType<typeof painter>) =>
  count > NEWEST ? [paint('dim', `  ${count - NEWEST} older: --json shows them`)] : [];
