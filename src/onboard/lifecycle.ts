/** LeadConduit's three statuses, in the order in which an onboard goes through them. It never goes back. */
export const STATUSES = ['created', 'in_progress', 'completed'] as const;
export type Status = (typeof STATUSES)[number];

/** What we do upstream: the one `POST`, then a `PUT` for each status. */
export const EFFECTS = ['create', 'in_progress', 'completed'] as const;
export type Effect = (typeof EFFECTS)[number];
export const isEffect = (word: unknown): word is Effect => EFFECTS.includes(word as Effect);

export const isStatus = (word: unknown): word is Status => STATUSES.includes(word as Status);

/**
 * What is left to do from one of our three statuses to another; empty when there already, never backwards.
 * `failed` and words not known here must not come in: their index of -1 would send everything again.
 */
export const stepsBetween = (from: Status, to: Status) =>
  STATUSES.slice(STATUSES.indexOf(from) + 1, STATUSES.indexOf(to) + 1) as Exclude<Status, 'created'>[];

/** Whether `status` is `target` or further on; false for `failed`, for unknown words and before there is a record. */
export const hasReached = (status: string | null, target: Status) =>
  isStatus(status) && STATUSES.indexOf(status) >= STATUSES.indexOf(target);

type Dated = { updated_at?: string | null };
/** It was changed after what is known: else the list may only lag behind our own change. */
export const isNewer = ({ updated_at: now }: Dated, known: Dated | undefined) =>
  Date.parse(now ?? '') > Date.parse(known?.updated_at ?? '');
