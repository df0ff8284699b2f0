import type { OnboardState } from '../workflows/messages';

type OnboardRecord = NonNullable<OnboardState['record']>;

/** Temporal's lists have a new onboard within a fraction of this. */
const LAG_MS = 60_000;

/** Records whose create was answered just now: a list without one of them would read as absence, and be answered with a second create. */
export class Recent {
  private readonly kept = new Map<string, { record: OnboardRecord; at: number }>();

  add(record: OnboardRecord): void {
    this.kept.delete(record.id);
    this.kept.set(record.id, { record, at: Date.now() });
    for (const [id, { at }] of this.kept) {
      if (at > Date.now() - LAG_MS) break;
      this.kept.delete(id);
    }
  }

  /** The list, and behind it what it does not show yet. */
  completing(list: OnboardRecord[]): OnboardRecord[] {
    const shown = new Set(list.map(({ id }) => id));
    const missing = [...this.kept.values()].map(({ record }) => record).filter(({ id }) => !shown.has(id));
    return [...list, ...missing];
  }
}
