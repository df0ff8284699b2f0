/** LeadConduit's three statuses, in the order in which an onboard goes through them. It never goes back. */
const ORDER = ['created', 'in_progress', 'completed'] as const;
export type Status = (typeof ORDER)[number];

/** What we do upstream: the one `POST`, then a `PUT` for each status. */
export const EFFECTS = ['create', 'in_progress', 'completed'] as const;
export type Effect = (typeof EFFECTS)[number];
export const isEffect = (word: unknown): word is Effect => EFFECTS.includes(word as Effect);

export const isStatus = (word: unknown): word is Status => ORDER.includes(word as Status);

/**
 * What is left to do from one of our three statuses to another; empty when there already, never backwards.
 * `failed` and words not known here must not come in: their index of -1 would send everything again.
 */
export const stepsBetween = (from: Status, to: Status) =>
  ORDER.slice(ORDER.indexOf(from) + 1, ORDER.indexOf(to) + 1) as Exclude<Status, 'created'>[];

/** Whether `status` is `target` or further on; false for `failed`, for unknown words and before there is a record. */
export const hasReached = (status: string | null, target: Status) =>
  isStatus(status) && ORDER.indexOf(status) >= ORDER.indexOf(target);
