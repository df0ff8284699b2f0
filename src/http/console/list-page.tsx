import type { RowWithRecord } from '../../client';
import { ATTENTION_CODES } from '../../onboard/attention';
import { LINE_LENGTH } from '../../onboard/text';
import { STATUSES } from '../../onboard/lifecycle';
import { PHASES } from '../../onboard/view';
import { visible, visibleIn } from '../../visible';
import { Alert, Layout, LiveRegion } from './layout';
import type { Snapshot } from './overview';
import { HEX_FIELD } from './fields';
import { BreakIt } from './try-to-break-it';
import { ageOf, Time } from './times';
import type { Upstream } from './emulator-control';

export interface Wanted {
  phase?: string;
  status?: string;
  attention?: string;
  /** A part of any id or of a label. */
  q?: string;
  page: number;
}

const PAGE = 50;

export function wantedOf(query: Record<string, string>): Wanted {
  const text = (name: string) => visible(query[name] ?? '').trim() || undefined;
  const page = Number(query.page);
  return {
    phase: text('phase'),
    status: text('status'),
    attention: text('attention'),
    q: text('q'),
    page: Number.isSafeInteger(page) && page > 0 ? page : 1,
  };
}

function addressOf(wanted: Wanted, change: Partial<Wanted> = {}, path = '/'): string {
  const all = Object.entries({ ...wanted, ...change }).filter(
    ([name, value]) => value && !(name === 'page' && value === 1),
  );
  const query = new URLSearchParams(Object.fromEntries(all.map(([name, value]) => [name, String(value)]))).toString();
  return query ? `${path}?${query}` : path;
}

function isFound({ invitation_id, onboard_id, flow_id, label, record }: RowWithRecord, q: string): boolean {
  const sought = q.toLowerCase();
  const texts = [invitation_id, onboard_id, flow_id, label, record?.account_id, record?.connection_id];
  return texts.some((text) => text?.toLowerCase().includes(sought));
}

/** When the onboard got its status: LeadConduit dates a record when its status changes. */
const statusSince = ({ status, record }: RowWithRecord) =>
  (status === 'created' ? record?.created_at : record?.updated_at) ?? undefined;

function choose(rows: RowWithRecord[], { phase, status, attention, q, page }: Wanted) {
  const fits = rows
    .filter((row) => !status || row.status === status)
    .filter((row) => !attention || row.attention_code === attention)
    .filter((row) => !q || isFound(row, q));
  const counts = new Map<string, number>();
  for (const row of fits) counts.set(row.phase, (counts.get(row.phase) ?? 0) + 1);
  const chosen = fits.filter((row) => !phase || row.phase === phase);
  const pages = Math.max(1, Math.ceil(chosen.length / PAGE));
  const shown = Math.min(page, pages);
  return { all: fits.length, counts, chosen, pages, page: shown, rows: chosen.slice((shown - 1) * PAGE, shown * PAGE) };
}

interface ListProps {
  snapshot: Snapshot;
  wanted: Wanted;
  now: number;
}

export function ListRegion({ snapshot, wanted, now }: ListProps) {
  const { all, counts, chosen, pages, page, rows } = choose(snapshot.rows, wanted);
  return (
    <>
      {snapshot.problem && (
        <Alert>
          {snapshot.problem} What you see is from <Time at={new Date(snapshot.at).toISOString()} />.
        </Alert>
      )}
      <nav aria-label="Phases">
        <ul class="counts">
          <Count
            name="all"
            count={all}
            href={addressOf(wanted, { phase: undefined, page: 1 })}
            isCurrent={!wanted.phase}
          />
          {PHASES.filter((phase) => phase === 'attention' || counts.has(phase) || wanted.phase === phase).map(
            (phase) => (
              <Count
                name={phase}
                count={counts.get(phase) ?? 0}
                href={addressOf(wanted, { phase, page: 1 })}
                isCurrent={wanted.phase === phase}
              />
            ),
          )}
        </ul>
      </nav>
      {rows.length === 0 ? (
        <p>{snapshot.rows.length === 0 ? 'There is no onboard yet.' : 'No onboard matches.'}</p>
      ) : (
        <table class="list">
          <caption>
            {chosen.length} {chosen.length === 1 ? 'onboard' : 'onboards'}
            {pages > 1 && `, page ${page} of ${pages}`}
          </caption>
          <thead>
            <tr>
              <th scope="col">Onboard</th>
              <th scope="col">Status</th>
              <th scope="col">Phase</th>
              <th scope="col">In phase for</th>
              <th scope="col" class="wide">
                Onboard id
              </th>
              <th scope="col" class="wide">
                Flow
              </th>
            </tr>
          </thead>
          <tbody>
            {visibleIn(rows).map((row) => (
              <ListRow row={row} now={now} />
            ))}
          </tbody>
        </table>
      )}
      {pages > 1 && (
        <nav aria-label="Pages" class="pages">
          {page > 1 && <a href={addressOf(wanted, { page: page - 1 })}>Previous</a>}
          {page < pages && <a href={addressOf(wanted, { page: page + 1 })}>Next</a>}
        </nav>
      )}
    </>
  );
}

const Count = ({ name, count, href, isCurrent }: { name: string; count: number; href: string; isCurrent: boolean }) => (
  <li>
    <a class={`count ${name}`} href={href} aria-current={isCurrent ? 'true' : undefined}>
      {name} <strong>{count}</strong>
    </a>
  </li>
);

const Age = ({ since, now }: { since: string; now: number }) => <time datetime={since}>{ageOf(since, now)}</time>;

const ListRow = ({ row, now, since = statusSince(row) }: { row: RowWithRecord; now: number; since?: string }) => (
  <tr id={`row-${row.invitation_id}`}>
    <th scope="row">
      <a href={`/console/onboards/${row.invitation_id}`}>{row.label ?? row.invitation_id}</a>
      {row.label && <small class="id">{row.invitation_id}</small>}
    </th>
    <td>
      {row.status ?? 'not created yet'}{' '}
      {since && !Number.isNaN(Date.parse(since)) && (
        <small>
          for <Age since={since} now={now} />
        </small>
      )}
    </td>
    <td>
      <span class={`phase ${row.phase}`}>{row.attention_code ?? row.phase}</span>
    </td>
    <td>
      <Age since={row.since} now={now} />
    </td>
    <td class="wide id">{row.onboard_id ?? '–'}</td>
    <td class="wide id">{row.flow_id ?? '–'}</td>
  </tr>
);

const Choice = ({
  name,
  label,
  words,
  chosen,
}: {
  name: string;
  label: string;
  words: readonly string[];
  chosen?: string;
}) => (
  <label>
    {label}
    <select name={name}>
      <option value="">any</option>
      {words.map((word) => (
        <option value={word} selected={word === chosen}>
          {word}
        </option>
      ))}
    </select>
  </label>
);

interface ListPageProps extends ListProps {
  who: string;
  leadconduit: string | undefined;
  mayWrite: boolean;
  problem?: string;
  upstream?: Upstream;
}

export const ListPage = ({ snapshot, wanted, now, who, leadconduit, mayWrite, problem, upstream }: ListPageProps) => (
  <Layout title="All" who={who} leadconduit={leadconduit}>
    <h1>Onboards</h1>
    {problem && <Alert>{problem}</Alert>}
    <form method="get" action="/" class="filters" role="search">
      {wanted.phase && <input type="hidden" name="phase" value={wanted.phase} />}
      <label>
        Any id or label
        <input type="search" name="q" value={wanted.q} />
      </label>
      <Choice name="status" label="Status" words={STATUSES} chosen={wanted.status} />
      <Choice name="attention" label="Attention" words={ATTENTION_CODES} chosen={wanted.attention} />
      <button>Show</button>
    </form>
    <LiveRegion from={addressOf(wanted, {}, '/console/live')}>
      <ListRegion snapshot={snapshot} wanted={wanted} now={now} />
    </LiveRegion>
    {mayWrite && <StartForm />}
    {mayWrite && upstream && <BreakIt upstream={upstream} next="POST" />}
  </Layout>
);

const StartForm = () => (
  <details class="act" id="start">
    <summary>Start an onboard</summary>
    <form method="post" action="/console/onboards" class="stack">
      <label>
        Invitation id
        <input name="invitation_id" required {...HEX_FIELD} />
      </label>
      <label>
        Label (a name for people)
        <input name="label" maxlength={LINE_LENGTH} />
      </label>
      <label>
        Flow id, if it is known
        <input name="flow_id" {...HEX_FIELD} />
      </label>
      <button>Start it</button>
    </form>
  </details>
);
