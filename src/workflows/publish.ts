import type { SearchAttributeUpdatePair } from '@temporalio/common';
import { setCurrentDetails, upsertMemo, upsertSearchAttributes } from '@temporalio/workflow';
import { ATTRIBUTE_KEYS } from './search-attributes';
import { effectiveFlow } from '../onboard/flow';
import { weigh } from '../onboard/journal';
import { view } from '../onboard/view';
import type { OnboardState } from '../onboard/state';
import { asMarkdown, cleanLine } from '../onboard/text';

type Attribute = keyof typeof ATTRIBUTE_KEYS;

/** Temporal ends a run whose keyword is over 2 kB. */
const short = (text: string | undefined) => text && cleanLine(text);

/**
 * Publishes where the onboard stands, but only what changed: search attributes and the record (as memo) for lists,
 * current details for Temporal's web page.
 */
export function publisher(onboard: OnboardState) {
  let published: Partial<Record<Attribute, string | undefined>> = {};
  let record = '';
  let details = '';
  return (now: number): void => {
    const state = view(onboard, now);
    const values: Record<Attribute, string | undefined> = {
      InvitationId: state.invitation_id,
      OnboardId: short(onboard.record?.id.toLowerCase()),
      OnboardStatus: short(state.status ?? undefined),
      OnboardPhase: state.phase,
      OnboardAttention: state.attention?.code,
      OnboardOrigin: onboard.origin,
      OnboardFlowId: short(effectiveFlow(onboard) ?? undefined),
      OnboardSince: state.since,
      OnboardLabel: onboard.label,
      OnboardGone: newest(onboard.gone).join('\n') || undefined,
    };
    const changed = (Object.keys(values) as Attribute[]).filter((name) => values[name] !== published[name]);
    if (changed.length > 0) upsertSearchAttributes(changed.map((name) => pair(name, values[name])));
    published = values;

    const shown = state.record ? JSON.stringify(state.record) : '';
    if (shown !== record) upsertMemo({ record: state.record });
    record = shown;

    const { status, phase, waiting_for } = state;
    const text = `**${asMarkdown(status ?? 'not created yet')}** (${phase}). Waiting for ${waiting_for.who}: ${asMarkdown(waiting_for.text)}`;
    if (text !== details) setCurrentDetails((details = text));
  };
}

/** The newest ids that fit: Temporal ends a run whose list of keywords is over 2 kB. */
function newest(ids: readonly string[]): string[] {
  let room = 2_000;
  return ids.toReversed().filter((id) => (room -= weigh({ id })) >= 0);
}

function pair(name: Attribute, value: string | undefined): SearchAttributeUpdatePair {
  if (name === 'OnboardSince')
    return { key: ATTRIBUTE_KEYS[name], value: value === undefined ? null : new Date(value) };
  if (name === 'OnboardGone') return { key: ATTRIBUTE_KEYS[name], value: value?.split('\n') ?? null };
  return { key: ATTRIBUTE_KEYS[name], value: value ?? null };
}
