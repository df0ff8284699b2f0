import type { OnboardView } from '../../onboard/view';
import { OUTCOMES, type TimelineLine } from '../../onboard/journal';
import { EFFECTS, hasReached, STATUSES } from '../../onboard/lifecycle';
import { detailsOf, factsOf, happenedIn, SELLER } from '../../onboard/words';
import { ActionForms } from './action-forms';
import type { Upstream } from './emulator-control';
import { Alert, Layout, LiveRegion, Said } from './layout';
import { BreakIt, Effects } from './try-to-break-it';
import { ageOf, Time } from './times';

export interface StandingProps {
  state: OnboardView;
  now: number;
  who: string;
  mayWrite: boolean;
  view: string;
  /** The address of the run on Temporal's web page. */
  run?: string;
  /** Set when the emulator stands in for LeadConduit; `down` when it does not answer. */
  upstream?: Upstream | 'down';
}

/** Everything about an onboard that changes by itself. */
export const Standing = (props: StandingProps) => {
  const { state, now, run, upstream, mayWrite } = props;
  return (
    <>
      {state.stale && <Alert>{`It waits for ${state.waiting_for.text}`}</Alert>}
      <Lifecycle state={state} />
      {state.attention && (
        <section class="attention-box" aria-labelledby="attention-title">
          <h2 id="attention-title">{`Needs attention: ${state.attention.code}`}</h2>
          <p>{state.attention.message}</p>
        </section>
      )}
      {state.status === 'completed' && <p class="reminder">{SELLER}</p>}
      <FactList state={state} now={now} run={run} />
      <section aria-labelledby="actions-title">
        <h2 id="actions-title">What may be done now</h2>
        <ActionForms {...props} />
      </section>
      <section aria-labelledby="ledger-title">
        <h2 id="ledger-title">Sent to LeadConduit</h2>
        <div class="beside">
          <Ledger state={state} />
          {upstream && <Effects upstream={upstream === 'down' ? undefined : upstream} />}
        </div>
      </section>
      <section aria-labelledby="timeline-title">
        <h2 id="timeline-title">Who did what</h2>
        {state.stale && <p>Not known until a worker runs.</p>}
        <ol class="timeline">
          {state.timeline.map((line) => (
            <Happened line={line} />
          ))}
        </ol>
      </section>
      {mayWrite && upstream && upstream !== 'down' && (
        <BreakIt upstream={upstream} next={state.record ? 'PUT' : 'POST'} invitation={state.invitation_id} />
      )}
    </>
  );
};

/** Shows which of the three statuses are reached. The phase beside it tells what happens in between. */
const Lifecycle = ({ state: { status, phase } }: { state: OnboardView }) => {
  const next = STATUSES.find((one) => !hasReached(status, one));
  return (
    <div class="standing">
      <ol class="lifecycle" aria-label="Lifecycle">
        {STATUSES.map((one) => {
          const isReached = hasReached(status, one);
          const stage = isReached
            ? 'reached'
            : one === next && ['creating', 'updating', 'unknown'].includes(phase)
              ? 'under-way'
              : 'ahead';
          const words = { reached: 'reached', 'under-way': 'under way', ahead: 'still ahead' }[stage];
          return (
            <li class={stage} aria-current={status === one ? 'step' : undefined}>
              {one} <span class="visually-hidden">({words})</span>
            </li>
          );
        })}
      </ol>
      <p role="status">
        <span class={`phase ${phase}`}>{phase}</span>
        {status !== null && !STATUSES.some((one) => one === status) && ` at LeadConduit: ${status}`}
      </p>
    </div>
  );
};

const FactList = ({ state, now, run }: { state: OnboardView; now: number; run?: string }) => {
  const { since, record } = state;
  const { waitsFor, next, held, flow } = factsOf(state);
  return (
    <dl class="facts">
      {waitsFor !== undefined && (
        <>
          <dt>Waits for</dt>
          <dd>{waitsFor}</dd>
        </>
      )}
      <dt>Since</dt>
      <dd>
        <Time at={since} /> ({ageOf(since, now)})
      </dd>
      <dt>Next</dt>
      <dd>
        {next.text}
        {next.at !== undefined && (
          <>
            {' '}
            at <Time at={next.at} />
          </>
        )}
      </dd>
      {held !== undefined && (
        <>
          <dt>Held</dt>
          <dd>{held}</dd>
        </>
      )}
      <dt>Invitation</dt>
      <dd class="id">{state.invitation_id}</dd>
      <dt>Onboard</dt>
      <dd class="id">{record?.id ?? 'not created yet'}</dd>
      <dt>Flow</dt>
      <dd class="id">{flow ?? 'none yet'}</dd>
      {run && (
        <>
          <dt>Temporal</dt>
          <dd>
            <a href={run}>its run on Temporal's web page</a>
          </dd>
        </>
      )}
    </dl>
  );
};

const Ledger = ({ state: { ledger, record, stale } }: { state: OnboardView }) =>
  ledger.length === 0 ? (
    <p>{stale ? 'Not known until a worker runs.' : 'Nothing yet.'}</p>
  ) : (
    <table class="ledger">
      <caption>What this onboard has sent</caption>
      <thead>
        <tr>
          <th scope="col">No.</th>
          <th scope="col">Call</th>
          <th scope="col">Outcome</th>
          <th scope="col">When (UTC)</th>
          <th scope="col">Details</th>
        </tr>
      </thead>
      <tbody>
        {ledger.map((entry) => (
          <tr>
            <td>{entry.n}</td>
            <th scope="row">{EFFECTS[entry.effect].verb}</th>
            <td>
              <span class={`outcome ${entry.outcome}`}>{OUTCOMES[entry.outcome]}</span>
            </td>
            <td>
              <Time at={entry.intended_at} />
            </td>
            <td>{detailsOf(entry, { record })}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );

const Happened = ({ line }: { line: TimelineLine }) => (
  <li class={line.event}>
    <Time at={line.at} /> {line.by && <strong>{line.by}</strong>} {happenedIn(line)}
    {line.reason && <q>{line.reason}</q>}
  </li>
);

interface OnboardPageProps extends StandingProps {
  leadconduit: string | undefined;
  problem?: string;
  /** What was just accepted. */
  said?: string;
}

export const OnboardPage = ({ problem, said, leadconduit, ...standing }: OnboardPageProps) => {
  const { label, invitation_id } = standing.state;
  return (
    <Layout title={label ?? invitation_id} who={standing.who} leadconduit={leadconduit}>
      <nav aria-label="Back">
        <a href="/">All onboards</a>
      </nav>
      <h1>{label ?? invitation_id}</h1>
      {problem && <Alert>{problem}</Alert>}
      {said && <Said>{said}</Said>}
      <LiveRegion from={`/console/onboards/${invitation_id}/live?view=${standing.view}`}>
        <Standing {...standing} />
      </LiveRegion>
    </Layout>
  );
};
