import type { Row } from '../client';
import { effectiveFlow } from '../onboard/flow';
import type { OnboardView } from '../onboard/view';
import { painter, table, type Screen } from './terminal';
import { visibleIn } from '../visible';
import { span } from '../onboard/words';

const HEAD = ['FOR', 'STATUS', 'PHASE', 'ATTENTION', 'INVITATION', 'ONBOARD', 'LABEL'];

/** One line per onboard, in the order given. */
export function rowsText(rows: Row[], screen: Screen): string {
  const paint = painter(screen);
  const cells = visibleIn(rows).map((row) => [
    span(screen.now - Date.parse(row.since)),
    row.status ?? '-',
    row.phase,
    row.attention_code ?? '-',
    row.invitation_id,
    row.onboard_id ?? '-',
    row.label ?? '',
  ]);
  const [head = '', ...lines] = table([HEAD, ...cells], screen, 0);
  return [paint('bold', head), ...lines.map((line, i) => (rows[i]?.attention_code ? paint('red', line) : line))].join(
    '\n',
  );
}

/** The row of an onboard, made from its state. */
export const rowOfState = (state: OnboardView): Row => ({
  invitation_id: state.invitation_id,
  onboard_id: state.record?.id.toLowerCase() ?? null,
  label: state.label ?? null,
  flow_id: effectiveFlow(state),
  status: state.status,
  phase: state.phase,
  since: state.since,
  attention_code: state.attention?.code ?? null,
});
