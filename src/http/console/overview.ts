import type { OnboardsClient, RowWithRecord } from '../../client';
import type { Phase } from '../../onboard/view';
import { problemOf } from '../problems';

export interface Snapshot {
  /** Sorted once for all viewers. */
  rows: RowWithRecord[];
  /** Epoch ms. */
  at: number;
  /** Why the snapshot is not newer. */
  problem?: string;
}

/** The order of the list: what needs a person comes first, what has ended last; in each rank the oldest first. */
const RANK: Record<Phase, number> = {
  attention: 0,
  unknown: 1,
  creating: 2,
  updating: 2,
  held: 2,
  confirming: 2,
  waiting: 2,
  done: 3,
  cancelled: 3,
};

const LEAST_AGE_MS = 1_000;
/** The pause after a read, in durations of the read: however long the list gets, reading takes a fifth of the time at most. */
const SHARE = 4;

/** All onboards from Temporal's lists, read once for all viewers, whatever their filters. */
export class Overview {
  private snapshot: Snapshot = { rows: [], at: 0 };
  private reading: Promise<Snapshot> | undefined;
  private nextAt = 0;

  constructor(private readonly onboards: Pick<OnboardsClient, 'lists'>) {}

  /** A recent snapshot; the last one with a `problem` when Temporal does not answer. @throws when there is none yet */
  async current(): Promise<Snapshot> {
    if (Date.now() < this.nextAt) return this.snapshot;
    this.reading ??= this.read().finally(() => (this.reading = undefined));
    return this.reading;
  }

  private async read(): Promise<Snapshot> {
    const since = Date.now();
    try {
      const rows = await this.onboards.lists.rowsWithRecords();
      rows.sort((a, b) => RANK[a.phase] - RANK[b.phase] || a.since.localeCompare(b.since));
      this.snapshot = { rows, at: since };
    } catch (error) {
      if (this.snapshot.at === 0) throw error;
      this.snapshot = { ...this.snapshot, problem: problemOf(error).message };
    }
    this.nextAt = Date.now() + Math.max(LEAST_AGE_MS, SHARE * (Date.now() - since));
    return this.snapshot;
  }
}
