/** How far a call has got, in the order in which it gets there. */
export const CRASH_POINTS = [
  'before the intent',
  'before the look',
  'at the marker',
  'socket open',
  'bytes sent',
  'answer read',
  'before the return',
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];
