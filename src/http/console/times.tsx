import { span } from '../../onboard/words';

/** Under a minute, minutes, hours or days: coarse, so that a page does not change every second. */
export const ageOf = (since: string, now: number) => {
  const ms = now - Date.parse(since);
  return ms < 60_000 ? 'under a minute' : span(ms);
};

/** A time in UTC, which is the same for everybody who talks about it. */
export const Time = ({ at }: { at: string }) => (
  <time datetime={at}>{at.replace('T', ' ').replace(/\.\d+Z$|Z$/, '')}</time>
);
