import type { OnboardView } from '../onboard/view';
import { happened } from './describe';
import { table, type Screen } from './terminal';
import { visibleIn } from '../visible';
import { WHO } from '../onboard/words';
import { time } from './hints';

/** Tells what happens to an onboard: the new timeline lines since the last call, and where it stands when that changed. */
export function narrator() {
  const known = new Set<string>();
  let standing = '';
  let isBegun = false;
  return (raw: OnboardView, screen: Screen): string => {
    const state = visibleIn(raw);
    const news = state.timeline.filter((line) => !known.has(JSON.stringify(line)));
    for (const line of news) known.add(JSON.stringify(line));
    const lines = isBegun ? table(news.map(happened), screen, 0) : [];
    // A stale state has no timeline. Telling begins after the first state that has one, and skips what is in it.
    isBegun ||= !state.stale;

    const { status, phase, waiting_for } = state;
    const now = `${status ?? 'not created yet'}, ${phase}. Waits for ${WHO[waiting_for.who]}: ${waiting_for.text}`;
    if (now !== standing) lines.push(`${time(state.as_of)}  ${now}`);
    standing = now;
    return lines.join('\n');
  };
}
