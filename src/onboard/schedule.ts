/** When something is tried again. All times are milliseconds since the epoch, all spans milliseconds. */
import type { Policy } from './input';

/** Absence is believed only from looks sent this many settle times after the attempt can no longer send. */
export const LOOKS_AFTER = [1, 2, 4] as const;
/** For as long as a list may lag behind, it is asked again. */
export const longestLag = ({ settle_ms }: Pick<Policy, 'settle_ms'>): number => LOOKS_AFTER[2] * settle_ms;

/** So many looks in a row that told nothing need attention. */
export const UNUSABLE_LOOKS = 5;
/** So many attempts in a row that sent nothing need attention: with the default back-off after some six minutes. */
export const UNSENT_TRIES = 12;

/** Something that is tried at a time, and again until it succeeds. */
export interface Schedule {
  at: number;
  /** In a row: attempts that sent nothing, refused keys. */
  failures: number;
  /** In a row: looks that told nothing. */
  unusable_looks: number;
}

export const scheduledAt = (at: number): Schedule => ({ at, failures: 0, unusable_looks: 0 });

const doubling = (first: number, times: number, most: number) => Math.min(first * 2 ** Math.min(times, 20), most);

export const backoff = ({ backoff_ms }: Policy, times: number): number => doubling(backoff_ms, times, 60_000);
export const keyBackoff = ({ credentials_backoff_ms }: Policy, times: number): number =>
  doubling(credentials_backoff_ms, times, 300_000);
