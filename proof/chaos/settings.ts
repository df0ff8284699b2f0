import { LIMIT_MS } from './plan';

export const KEY = 'chaos-key';
/** The key of our own API. */
export const API_KEY = 'chaos-api-key';
/** How long the list lags, ms. Below the settle times, even for calls that land late (see the plan). */
export const LAG_MS = 2_500;
/** Short, so that a run takes minutes; the rules are the same. */
export const SETTINGS = {
  LEADCONDUIT_API_KEY: KEY,
  LEADCONDUIT_TIMEOUT: `${LIMIT_MS}ms`,
  /** Calls hang for as long as the limit, and must not keep others waiting for a slot. */
  LEADCONDUIT_MAX_CONCURRENCY: '12',
  ONBOARDS_SETTLE: '3500ms',
  ONBOARDS_CONFIRM: '2s',
  ONBOARDS_TASK_QUEUE: 'chaos',
};
