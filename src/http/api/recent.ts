import type { OnboardRecord } from '../../onboard/outcome';

/** In ms. Temporal's lists show a new onboard within a fraction of this. */
const LAG_MS = 60_000;

/** Records created within the last minute. Temporal's visibility may not list them yet; a caller who misses its onboard in our list might create it again. */
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

  /** The list, followed by the recent records that it does not show yet. */
  completing(list: OnboardRecord[]): OnboardRecord[] {
    const shown = new Set(list.map(({ id }) => id));
    const missing = [...this.kept.values()].map(({ record }) => record).filter(({ id }) => !shown.has(id));
    return [...list, ...missing];
  }
}
