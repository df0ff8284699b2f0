import { z } from 'zod';
import { HEX24, HEX24_RULE } from '../onboard/ids';

/** 24 hexadecimal digits: a BSON id. Upper and lower case name the same thing. */
export const HexId = z.string().regex(HEX24, HEX24_RULE);

/** Body of `POST /onboards`. */
export const CreateRequest = z.object({ invitation_id: HexId, flow_id: HexId.nullish() });

/**
 * An onboard as LeadConduit shows it. Only the two ids are relied on; the rest may be null, missing or new,
 * and everything is kept so that a `PUT`, which replaces the whole record, loses nothing.
 */
export const OnboardRecord = z.looseObject({
  // The id becomes part of a path, where dots would lead elsewhere, and of messages for people.
  id: z.string().regex(/^(?!\.{1,2}$)[\x21-\x7e]{1,200}$/),
  invitation_id: z.string().min(1),
  account_id: z.string().nullish(),
  connection_id: z.string().nullish(),
  flow_id: z.string().nullish(),
  status: z.string().nullish(),
  created_at: z.string().nullish(),
  updated_at: z.string().nullish(),
});
export type OnboardRecord = z.infer<typeof OnboardRecord>;

/** What makes an element of `GET /onboards` usable. Nothing else is checked in the records of other invitations. */
export const ListedOnboard = z.looseObject({ id: z.string(), invitation_id: z.string().nullish() });
export type ListedOnboard = z.infer<typeof ListedOnboard>;

/** Characters of a record as JSON. A larger one is not read at all, because Temporal could not carry it. */
const MAX_RECORD = 64 * 1024;
/** Levels of nested objects and lists. Code that writes JSON recursively fails somewhere above a thousand. */
const MAX_DEPTH = 100;

/** Reads a whole record that is to be acted on. Undefined if it has the wrong shape or cannot be carried. */
export function readRecord(json: unknown): OnboardRecord | undefined {
  const record = OnboardRecord.safeParse(json).data;
  return record && isShallow(record) && JSON.stringify(record).length <= MAX_RECORD ? record : undefined;
}

function isShallow(json: unknown): boolean {
  let level: unknown[] = [json];
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null ? (Object.values(value) as unknown[]) : [],
    );
    if (level.length === 0) return true;
  }
  return false;
}

/** `{"error": "<string>"}`: the upstream's own words, which a gateway in between would not use. */
export const ErrorBody = z.object({ error: z.string() });
