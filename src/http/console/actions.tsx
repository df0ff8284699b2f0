import { COMPLETING, meaningOf } from '../../onboard/words';
import type { Action, OnboardState } from '../../workflows/messages';
import { named } from '../../upstream';
import { Layout } from './layout';

const TITLES: Record<Action, string> = {
  'advance in_progress': 'Move on to in_progress',
  'advance completed': 'Complete …',
  'resolve retry': 'Retry',
  'resolve adopt': 'Adopt',
  hold: 'Hold',
  release: 'Release',
  cancel: 'Cancel',
  note: 'Note',
};

interface ActionFormsProps {
  state: OnboardState;
  who: string;
  mayWrite: boolean;
  /** Of this page in this window, made up when it was opened. */
  view: string;
}

/** Pressed twice, a button acts once: the key changes only with what is shown, and nobody else's page has the same. */
const keyOf = (view: string, action: Action, { timeline }: OnboardState) =>
  [view, action, timeline.length, timeline.at(-1)?.at].join(' ');

/** What answers the attention comes first. */
const inOrder = (actions: Action[]) => {
  const isAnswer = (action: Action) => action.startsWith('resolve');
  return [...actions.filter(isAnswer), ...actions.filter((action) => !isAnswer(action))];
};

/** Only what is accepted now. */
export const ActionForms = ({ state, who, mayWrite, view }: ActionFormsProps) => {
  if (!mayWrite) return <p>This key may only read.</p>;
  if (state.actions.length === 0) return <p>{state.stale ? 'Nothing until a worker runs.' : 'Nothing.'}</p>;
  return (
    <div class="acts">
      {inOrder(state.actions).map((action) => (
        <details class="act" name="act" id={`act-${action.replace(' ', '-')}`}>
          <summary>
            {TITLES[action]} <small>{meaningOf(action, state)}</small>
          </summary>
          <ActionForm action={action} state={state} who={who} view={view} />
        </details>
      ))}
    </div>
  );
};

const ActionForm = ({ action, state, who, view }: Omit<ActionFormsProps, 'mayWrite'> & { action: Action }) => {
  const [name = '', what = ''] = action.split(' ');
  return (
    <form method="post" action={`/console/onboards/${state.invitation_id}/${name}`} class="stack">
      <input type="hidden" name="key" value={keyOf(view, action, state)} />
      {name === 'advance' && <input type="hidden" name="to" value={what} />}
      {name === 'resolve' && <input type="hidden" name="action" value={what} />}
      {name === 'resolve' && <input type="hidden" name="attention" value={state.attention?.id} />}
      {name === 'advance' && (
        <label>
          Flow id (sets or replaces it)
          <input name="flow_id" pattern="[0-9a-fA-F]{24}" title="24 hexadecimal digits" />
        </label>
      )}
      {name === 'resolve' && (what === 'adopt' || isAboutTheList(state)) && (
        <label>
          Onboard id
          {what === 'retry'
            ? ', where you have seen that it was removed'
            : state.attention?.code === 'duplicate'
              ? ' to keep'
              : ', where there is more than one'}
          <input
            name="onboard_id"
            pattern="[0-9a-fA-F]{24}"
            title="24 hexadecimal digits"
            required={what === 'adopt' && state.attention?.code === 'duplicate'}
          />
        </label>
      )}
      {name === 'note' && (
        <label>
          Text
          <textarea name="text" required maxlength={2_000} rows={2} />
        </label>
      )}
      <WhoAndWhy who={who} withReason={name !== 'note'} />
      <button class={action === 'advance completed' || name === 'cancel' ? 'danger' : ''}>{TITLES[action]}</button>
    </form>
  );
};

const isAboutTheList = ({ attention }: OnboardState) =>
  ['list_unreadable', 'absence_unproven'].includes(attention?.code ?? '');

const WhoAndWhy = ({ who, withReason }: { who: string; withReason: boolean }) => (
  <>
    <label>
      Who
      <input name="by" value={who} maxlength={60} />
    </label>
    {withReason && (
      <label>
        Why
        <input name="reason" maxlength={2_000} />
      </label>
    )}
  </>
);

const ASKED = [
  ['by', 'Who'],
  ['reason', 'Why'],
  ['flow_id', 'New flow'],
] as const;

interface CompletePageProps {
  state: OnboardState;
  /** What asks for it: `advance`, or `resolve` of a completing call that came to nothing. */
  message: string;
  who: string;
  leadconduit: string | undefined;
  /** What was filled in. */
  fields: Record<string, string>;
}

/** Asks once more: it is the one thing here that cannot be undone. */
export const CompletePage = ({ state, message, who, leadconduit, fields }: CompletePageProps) => {
  const { invitation_id, label } = state;
  return (
    <Layout title={`Complete ${label ?? invitation_id}?`} who={who} leadconduit={leadconduit}>
      <h1>{`Complete ${label ?? invitation_id}?`}</h1>
      <p class="attention-box">{COMPLETING}</p>
      <dl class="facts">
        <dt>At LeadConduit</dt>
        <dd>{named(leadconduit)}</dd>
        {ASKED.map(([name, what]) => (
          <>
            <dt>{what}</dt>
            <dd>{fields[name] ?? '–'}</dd>
          </>
        ))}
      </dl>
      <form method="post" action={`/console/onboards/${invitation_id}/${message}`} class="buttons">
        {Object.entries(fields).map(([name, value]) => (
          <input type="hidden" name={name} value={value} />
        ))}
        <input type="hidden" name="confirmed" value="yes" />
        <button class="danger">Complete it</button>
        <a class="button" href={`/console/onboards/${invitation_id}`}>
          Go back
        </a>
      </form>
    </Layout>
  );
};
