import { LIMIT_MS } from './plan';

export const KEY = 'chaos-key';
/** Of our own API. */
export const API_KEY = 'chaos-api-key';
/** Below the settle times, even of what lands late (see the plan). */
export const LAG_MS = 2_500;
/** Short, so that a run takes minutes; the rules are the same. */
export const SETTINGS = {
  LEADCONDUIT_API_KEY: KEY,
  LEADCONDUIT_TIMEOUT: `${LIMIT_MS}ms`,
  /** Calls hang for as long as the limit: none may keep others waiting for a place. */
  LEADCONDUIT_MAX_CONCURRENCY: '12',
  ONBOARDS_SETTLE: '3500ms',
  ONBOARDS_CONFIRM: '2s',
  ONBOARDS_TASK_QUEUE: 'chaos',
};
