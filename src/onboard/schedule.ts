/** When something is tried again. Times are epoch ms, durations are ms. */
import type { Policy } from './input';

/** Absence is believed only from looks sent this many settle times after the attempt can no longer send. */
export const LOOKS_AFTER = [1, 2, 4] as const;
/** The longest time that a list may lag behind; until then, it is asked again. */
export const longestLag = ({ settle_ms }: Pick<Policy, 'settle_ms'>): number => LOOKS_AFTER[2] * settle_ms;

/** Attention is raised after this many looks in a row that could not be used. */
export const UNUSABLE_LOOKS = 5;
/** An old list counts after this many in a row: what it shows may have been changed without a newer date. */
export const OLD_LOOKS = 5;
/** Attention is raised after this many attempts in a row that sent nothing: about six minutes by default. */
export const UNSENT_TRIES = 12;

/** Something that is tried at `at`, and again until it succeeds. */
export interface Schedule {
  at: number;
  /** Attempts in a row that sent nothing, or whose key was refused. */
  failures: number;
  /** Looks in a row that could not be used. */
  unusable_looks: number;
}

export const scheduledAt = (at: number): Schedule => ({ at, failures: 0, unusable_looks: 0 });

const doubling = (first: number, times: number, most: number) => Math.min(first * 2 ** Math.min(times, 20), most);

export const backoff = ({ backoff_ms }: Policy, times: number): number => doubling(backoff_ms, times, 60_000);
export const keyBackoff = ({ credentials_backoff_ms }: Policy, times: number): number =>
  doubling(credentials_backoff_ms, times, 300_000);
