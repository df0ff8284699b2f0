import { z } from '@hono/zod-openapi';
import { LINE_THAT_SHOWS, SHOWS } from '../text';
import type { OnboardState } from '../workflows/messages';
import { ATTENTION_CODES, PHASES } from '../workflows/messages';

/** 24 hexadecimal digits: the pattern of the reference. */
const HexId = z
  .string()
  .regex(/^[0-9a-fA-F]{24}$/, 'must be 24 hexadecimal digits')
  .openapi({ example: '64b8f0f5e4b0c3a1d5e6f7a8' });

/** The rule for texts that go into lists. */
const line = (most: number) =>
  z
    .string()
    .min(1)
    .max(most, { abort: true })
    .regex(LINE_THAT_SHOWS, 'must be a text of one line, with a character that shows');
const text = (most: number) => z.string().min(1).max(most, { abort: true }).regex(SHOWS, 'must not be blank');

// --- The reference's, to the letter

export const CreateRequest = z
  .object({ invitation_id: HexId, flow_id: HexId.nullish(), label: line(200).nullish() })
  .openapi('CreateRequest', { description: "LeadConduit's, and a label of ours for people." });

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

export const State = z
  .object({
    invitation_id: z.string(),
    label: z.string().optional(),
    requested_flow_id: z.string().optional(),
    status: z.string().nullable(),
    phase: z.enum(PHASES),
    held: z.boolean(),
    record: z.union([OnboardRecord, z.null()]),
    waiting_for: z.object({ who: z.enum(['operator', 'leadconduit', 'time', 'nobody']), text: z.string() }),
    since: Time,
    next: z.object({ what: z.string(), at: Time }).optional(),
    attention: z.object({ id: z.string(), code: z.enum(ATTENTION_CODES), message: z.string(), since: Time }).optional(),
    actions: z.array(z.string()).openapi({ description: 'Exactly what would be accepted now.' }),
    ledger: z.array(
      z.object({
        n: z.number(),
        effect: z.enum(['create', 'in_progress', 'completed']),
        intended_at: Time,
        outcome: z.enum(['pending', 'done', 'not_sent', 'refused', 'unknown', 'adopted', 'resolved']),
        settled_at: Time.optional(),
        onboard_id: z.string().optional(),
        http_status: z.number().optional(),
        words: z.string().optional(),
      }),
    ),
    timeline: z.array(
      z.object({
        at: Time,
        event: z.string(),
        by: z.string().optional(),
        reason: z.string().optional(),
        detail: z.string().optional(),
      }),
    ),
    as_of: Time,
    stale: z.boolean().openapi({ description: 'True when no worker answered and this is only the last known.' }),
  })
  .openapi('State');

/** A compile-time check that the document says what the workflow answers. */
export const describesState = (state: OnboardState): z.input<typeof State> => state;

const said = {
  by: text(120).optional().openapi({ description: "Who asks; the key's name is added." }),
  reason: text(2_000).optional(),
  key: text(200).optional().openapi({ description: 'The same key acts once; `Idempotency-Key` is the same.' }),
};

/** The body of each message. */
export const MESSAGES = {
  advance: z.strictObject({ to: z.enum(['in_progress', 'completed']), flow_id: HexId.optional(), ...said }),
  resolve: z.strictObject({
    action: z.enum(['retry', 'adopt']),
    attention: text(200).optional().openapi({ description: 'The id of the attention that is answered.' }),
    onboard_id: HexId.optional(),
    ...said,
  }),
  hold: z.strictObject(said),
  release: z.strictObject(said),
  cancel: z.strictObject(said),
  note: z.strictObject({ text: text(2_000), by: said.by, key: said.key }),
};

export const IdParam = z.object({
  id: HexId.openapi({ param: { name: 'id', in: 'path' }, description: 'An invitation or an onboard.' }),
});

/** RFC 7240: how many seconds the caller would wait. Anything else that a `Prefer` asks for is not for us. */
export const WaitHeader = z.object({
  prefer: z.string().optional().openapi({
    description: 'wait=N: seconds to wait for LeadConduit, 60 at most; 30 unless told.',
    example: 'wait=10',
  }),
});
export const KeyHeader = z.object({
  'idempotency-key': text(200).optional().openapi({ description: 'The same key acts once.' }),
});
