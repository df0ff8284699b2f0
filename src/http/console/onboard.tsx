import type { OnboardState, TimelineLine } from '../../workflows/messages';
import { hasReached, STATUSES } from '../../onboard/lifecycle';
import { CALL, EVENT, LANDED, SELLER, WHO } from '../../onboard/words';
import { ActionForms } from './actions';
import type { Upstream } from './emulator-control';
import { Alert, Layout, LiveRegion, Said } from './layout';
import { BreakIt, Effects } from './panel';
import { ageOf, Time } from './times';

export interface StandingProps {
  state: OnboardState;
  now: number;
  who: string;
  mayWrite: boolean;
  view: string;
  /** The run on Temporal's web page. */
  run?: string;
  /** Where the emulator stands in for LeadConduit; `down` when it does not answer. */
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
      <Facts state={state} now={now} run={run} />
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

/** Where it stands among the three statuses; what comes in between is told by the phase beside it. */
const Lifecycle = ({ state: { status, phase } }: { state: OnboardState }) => {
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

const Facts = ({ state, now, run }: { state: OnboardState; now: number; run?: string }) => {
  const { waiting_for, since, next, record, requested_flow_id, held, phase, stale } = state;
  const flow = requested_flow_id ?? record?.flow_id;
  return (
    <dl class="facts">
      {!stale && (
        <>
          <dt>Waits for</dt>
          <dd>
            {waiting_for.who === 'nobody'
              ? WHO.nobody
              : `${WHO[waiting_for.who]}: ${phase === 'attention' ? 'a decision' : waiting_for.text}`}
          </dd>
        </>
      )}
      <dt>Since</dt>
      <dd>
        <Time at={since} /> ({ageOf(since, now)})
      </dd>
      <dt>Next</dt>
      <dd>
        {next ? (
          <>
            {next.what} at <Time at={next.at} />
          </>
        ) : stale ? (
          'nothing until a worker carries it on'
        ) : waiting_for.who === 'operator' ? (
          'nothing until somebody acts'
        ) : waiting_for.who === 'nobody' ? (
          waiting_for.text
        ) : (
          'it goes on by itself'
        )}
      </dd>
      {held && phase !== 'held' && (
        <>
          <dt>Held</dt>
          <dd>nothing is sent until it is released</dd>
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

const Ledger = ({ state: { ledger, record, stale } }: { state: OnboardState }) =>
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
        {ledger.map(({ n, effect, outcome, intended_at, http_status, onboard_id, words }) => (
          <tr>
            <td>{n}</td>
            <th scope="row">{CALL[effect]}</th>
            <td>
              <span class={`outcome ${outcome}`}>{LANDED[outcome]}</span>
            </td>
            <td>
              <Time at={intended_at} />
            </td>
            <td>
              {[
                http_status && `HTTP ${http_status}`,
                onboard_id !== record?.id && onboard_id && `onboard ${onboard_id}`,
                words,
              ]
                .filter(Boolean)
                .join(', ')}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );

const Happened = ({ line: { at, event, by, reason, detail } }: { line: TimelineLine }) => (
  <li class={event}>
    <Time at={at} /> {by && <strong>{by}</strong>} {[EVENT[event], detail].filter(Boolean).join(': ')}
    {reason && <q>{reason}</q>}
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
