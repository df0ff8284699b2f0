/**
 * All that can be sent to a run and asked of it, for any TypeScript client:
 * `handle.executeUpdate(updates.advance, { args: [{ to: 'in_progress' }] })`, `handle.signal(signals.note, { text })`,
 * `handle.query(state)`.
 */
import type { SignalDefinition, UpdateDefinition } from '@temporalio/common';
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import { MESSAGE_NAMES, type MessageName } from '../onboard/actions';
import type { OnboardInput } from '../onboard/input';
import type { Payload } from '../onboard/parse-message';
import type { OnboardView } from '../onboard/view';

type Updates = { [Name in MessageName]: UpdateDefinition<OnboardView, [Payload<Name>]> };
type Signals = { [Name in MessageName]: SignalDefinition<[Payload<Name>]> };
const forEach = <T>(define: (name: MessageName) => T) =>
  Object.fromEntries(MESSAGE_NAMES.map((name) => [name, define(name)]));

/** Return the state right after the message, or fail with the type `REFUSED` and the reason. */
export const updates = forEach((name) => defineUpdate(name)) as Updates;

/** The same messages, durable at once and without an answer: one that is refused becomes a line in the timeline. */
export const signals = forEach((name) => defineSignal(name)) as Signals;

/**
 * Returns the state once there is a record or attention is needed, and the `request_id` of the start that made the run.
 * All callers share one update id.
 */
export const whenCreated = defineUpdate<OnboardView & Pick<OnboardInput, 'request_id'>>('whenCreated');
export const WHEN_CREATED_ID = 'when-created';

export const state = defineQuery<OnboardView>('state');

/** Failure types of ours that callers tell apart. */
export const REFUSED = 'OnboardRefused';
export const ENDED = 'OnboardEnded';
/** Fails a query that arrived together with events of the run, see interceptors.ts. Asking again succeeds. */
export const ASK_AGAIN = 'the query arrived while the run was processing other events: ask again';
