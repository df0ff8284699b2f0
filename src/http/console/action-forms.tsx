import { ACTIONS, meaningOf, type Action } from '../../onboard/actions';
import { ruleOf } from '../../onboard/attention';
import { TEXT_LENGTH } from '../../onboard/text';
import { COMPLETING } from '../../onboard/words';
import { HEX_FIELD } from './fields';
import type { OnboardView } from '../../onboard/view';
import { named } from '../../upstream';
import { Layout } from './layout';

interface ActionFormsProps {
  state: OnboardView;
  who: string;
  mayWrite: boolean;
  /** A random id of this page in this window, made when the page was opened. */
  view: string;
}

/** A button that is pressed twice acts once: its key changes only with the timeline, and no other page has the same. */
const keyOf = (view: string, action: Action, { timeline }: OnboardView) =>
  [view, action, timeline.length, timeline.at(-1)?.at].join(' ');

/** Puts the actions that answer the attention first. */
const inOrder = (actions: Action[]) => {
  const isAnswer = (action: Action) => action.startsWith('resolve');
  return [...actions.filter(isAnswer), ...actions.filter((action) => !isAnswer(action))];
};

/** Forms for the actions that are accepted now. */
export const ActionForms = ({ state, who, mayWrite, view }: ActionFormsProps) => {
  if (!mayWrite) return <p>This key has the role read, which may change nothing.</p>;
  if (state.actions.length === 0)
    return <p>{state.stale ? 'Nothing can be done until a worker runs.' : 'There is nothing left to do.'}</p>;
  return (
    <div class="acts">
      {inOrder(state.actions).map((action) => (
        <details class="act" name="act" id={`act-${action.replace(' ', '-')}`}>
          <summary>
            {ACTIONS[action].title} <small>{meaningOf(action, state)}</small>
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
          <input name="flow_id" {...HEX_FIELD} />
        </label>
      )}
      {name === 'resolve' && (what === 'adopt' || isAboutTheList(state)) && (
        <label>
          Onboard id
          {what === 'retry'
            ? ', if you have seen in LeadConduit that it was removed'
            : state.attention?.code === 'duplicate'
              ? ' to keep'
              : ', if there is more than one'}
          <input
            name="onboard_id"
            {...HEX_FIELD}
            required={what === 'adopt' && state.attention?.code === 'duplicate'}
          />
        </label>
      )}
      {name === 'note' && (
        <label>
          Text
          <textarea name="text" required maxlength={TEXT_LENGTH} rows={2} />
        </label>
      )}
      <WhoAndWhy who={who} withReason={name !== 'note'} />
      <button class={action === 'advance completed' || name === 'cancel' ? 'danger' : ''}>
        {ACTIONS[action].title}
      </button>
    </form>
  );
};

const isAboutTheList = ({ attention }: OnboardView) => ruleOf(attention)?.isAboutTheList === true;

const WhoAndWhy = ({ who, withReason }: { who: string; withReason: boolean }) => (
  <>
    <label>
      Who
      <input name="by" value={who} maxlength={60} />
    </label>
    {withReason && (
      <label>
        Why
        <input name="reason" maxlength={TEXT_LENGTH} />
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
  state: OnboardView;
  /** The message to confirm: `advance`, or a `resolve` that may repeat a completing call. */
  message: string;
  who: string;
  leadconduit: string | undefined;
  /** The fields of the form that was sent. */
  fields: Record<string, string>;
}

/** Asks once more, since completing is the only action that cannot be undone. */
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
