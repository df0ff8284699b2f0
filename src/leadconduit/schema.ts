import { z } from 'zod';

/** 24 hexadecimal digits: a BSON id. Upper and lower case name the same thing. */
export const HexId = z.string().regex(/^[0-9a-fA-F]{24}$/, 'must be 24 hexadecimal digits');

/** Body of `POST /onboards`. */
export const CreateRequest = z.object({ invitation_id: HexId, flow_id: HexId.nullish() });

/**
 * An onboard as LeadConduit shows it. Only the two ids are relied on; the rest may be null, missing or new,
 * and everything is kept so that a `PUT`, which replaces the whole record, loses nothing.
 */
export const OnboardRecord = z.looseObject({
  id: z.string().min(1),
  invitation_id: z.string().min(1),
  account_id: z.string().nullish(),
  connection_id: z.string().nullish(),
  flow_id: z.string().nullish(),
  status: z.string().nullish(),
  created_at: z.string().nullish(),
  updated_at: z.string().nullish(),
});
export type OnboardRecord = z.infer<typeof OnboardRecord>;

/** What makes an element of `GET /onboards` usable; nothing else about other people's records is judged. */
export const ListedOnboard = z.looseObject({ id: z.string(), invitation_id: z.string() });
export type ListedOnboard = z.infer<typeof ListedOnboard>;

/** `{"error": "<string>"}`: the upstream's own words, which a gateway in between would not use. */
export const ErrorBody = z.object({ error: z.string() });
