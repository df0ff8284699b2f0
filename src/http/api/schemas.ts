import { z } from '@hono/zod-openapi';
import { ACTION_NAMES, type MessageName } from '../../onboard/actions';
import { ATTENTION_CODES, type Attention } from '../../onboard/attention';
import { HEX24, HEX24_RULE } from '../../onboard/ids';
import { EVENT_NAMES, OUTCOME_NAMES, type LedgerEntry, type TimelineLine } from '../../onboard/journal';
import { EFFECT_NAMES, MOVES } from '../../onboard/lifecycle';
import type { Payload } from '../../onboard/parse-message';
import { LINE_LENGTH, TEXT_LENGTH } from '../../onboard/text';
import { PARTIES, PHASES, type OnboardView } from '../../onboard/view';
import { LINE_THAT_SHOWS, SHOWS } from '../../visible';

/** 24 hexadecimal digits: the pattern in LeadConduit's reference. */
const HexId = z.string().regex(HEX24, HEX24_RULE).openapi({ example: '64b8f0f5e4b0c3a1d5e6f7a8' });

/** A text of one line, fit for lists. */
const line = (most: number) =>
  z
    .string()
    .min(1)
    .max(most, { abort: true })
    .regex(LINE_THAT_SHOWS, 'must be a text of one line, with a character that shows');
const text = (most: number) => z.string().min(1).max(most, { abort: true }).regex(SHOWS, 'must not be blank');

// --- As in LeadConduit's reference; only the label is ours

export const CreateRequest = z
  .object({ invitation_id: HexId, flow_id: HexId.nullish(), label: line(LINE_LENGTH).nullish() })
  .openapi('CreateRequest', { description: "LeadConduit's request body, and a label of ours for people." });

export const OnboardRecord = z
  .looseObject({
    invitation_id: z.string(),
    id: z.string(),
    account_id: z.string().nullish(),
    connection_id: z.string().nullish(),
    flow_id: z.string().nullish(),
    status: z.string().nullish(),
    created_at: z.string().nullish(),
    updated_at: z.string().nullish(),
  })
  .openapi('OnboardRecord', { description: 'As LeadConduit showed it last, verbatim.' });

export const Replacement = z
  .looseObject({
    id: HexId.optional(),
    invitation_id: HexId,
    account_id: HexId.nullish(),
    connection_id: HexId.nullish(),
    flow_id: HexId.nullish(),
    status: z.string().nullish(),
  })
  .openapi('Replacement', { description: 'The record as it was read, with what is to change.' });

export const ErrorBody = z.object({ error: z.string() }).openapi('Error');

// --- Ours

const Time = z.string().openapi({ example: '2026-01-31T12:00:00.000Z' });

const AttentionSchema = z.object({
  id: z.string(),
  code: z.enum(ATTENTION_CODES),
  message: z.string(),
  since: Time,
});

const LedgerSchema = z.object({
  n: z.number(),
  effect: z.enum(EFFECT_NAMES),
  intended_at: Time,
  outcome: z.enum(OUTCOME_NAMES),
  settled_at: Time.optional(),
  onboard_id: z.string().optional(),
  http_status: z.number().optional(),
  words: z.string().optional(),
});

const TimelineSchema = z.object({
  at: Time,
  event: z.enum(EVENT_NAMES),
  by: z.string().optional(),
  reason: z.string().optional(),
  detail: z.string().optional(),
});

export const State = z
  .object({
    invitation_id: z.string(),
    label: z.string().optional(),
    requested_flow_id: z.string().optional(),
    status: z.string().nullable(),
    phase: z.enum(PHASES),
    held: z.boolean(),
    record: z.union([OnboardRecord, z.null()]),
    waiting_for: z.object({ who: z.enum(PARTIES), text: z.string() }),
    since: Time,
    next: z.object({ what: z.string(), at: Time }).optional(),
    attention: AttentionSchema.optional(),
    actions: z.array(z.enum(ACTION_NAMES)).openapi({ description: 'Exactly what would be accepted now.' }),
    ledger: z.array(LedgerSchema),
    timeline: z.array(TimelineSchema),
    as_of: Time,
    stale: z.boolean().openapi({ description: 'True when no worker answered and this is only the last known.' }),
  })
  .openapi('State');

/** Compiles only if a schema has exactly the fields of the type that it describes, including the optional ones. */
type Describes<Schema extends z.ZodType, Type> = [Required<z.output<Schema>>, Required<Type>] extends [
  Required<Type>,
  Required<z.output<Schema>>,
]
  ? true
  : never;
export const DESCRIBED: [
  Describes<typeof State, OnboardView>,
  Describes<typeof AttentionSchema, Attention>,
  Describes<typeof LedgerSchema, LedgerEntry>,
  Describes<typeof TimelineSchema, TimelineLine>,
] = [true, true, true, true];

const attribution = {
  by: text(120).optional().openapi({ description: "Who asks; the key's name is added." }),
  reason: text(TEXT_LENGTH).optional(),
  key: text(LINE_LENGTH).optional().openapi({
    description:
      'A message that is repeated with the same key takes effect once. The header `Idempotency-Key` does the same.',
  }),
};

/** The body of each message. */
export const BODIES = {
  advance: z.strictObject({ to: z.enum(MOVES), flow_id: HexId.optional(), ...attribution }),
  resolve: z.strictObject({
    action: z.enum(['retry', 'adopt']),
    attention: text(LINE_LENGTH).optional().openapi({ description: 'The id of the attention that is answered.' }),
    onboard_id: HexId.optional(),
    ...attribution,
  }),
  hold: z.strictObject(attribution),
  release: z.strictObject(attribution),
  cancel: z.strictObject(attribution),
  look: z.strictObject(attribution),
  note: z.strictObject({ text: text(TEXT_LENGTH), by: attribution.by, key: attribution.key }),
} satisfies { [Name in MessageName]: z.ZodType<Payload<Name>> };

export const IdParam = z.object({
  id: HexId.openapi({ param: { name: 'id', in: 'path' }, description: 'An invitation or an onboard.' }),
});

/** RFC 7240: for how many seconds the caller would wait. We ignore all other preferences. */
export const WaitHeader = z.object({
  prefer: z.string().optional().openapi({
    description: 'wait=N: how many seconds to wait for LeadConduit, at most 60; the default is 30.',
    example: 'wait=10',
  }),
});
export const KeyHeader = z.object({
  'idempotency-key': text(LINE_LENGTH)
    .optional()
    .openapi({ description: 'A message that is repeated with the same key takes effect once.' }),
});
