import type { Client } from '@temporalio/client';
import { hasReached } from '../onboard/lifecycle';
import type { OnboardRecord } from '../onboard/outcome';
import { listQuery, quoted } from '../temporal/list-filters';
import { ATTRIBUTE_KEYS } from '../workflows/search-attributes';
import { matches, newestRuns, recordOf, rowOf, type Filters, type Row, type RowWithRecord } from './rows';
import { ANSWER_MS, type Runs } from './runs';
import { within } from './temporal-errors';

interface KnownOnboard {
  id: string;
  /** It was created here. */
  isOurs: boolean;
  /** LeadConduit's list has shown it. */
  isListed: boolean;
  /** Epoch ms by which it existed. */
  since: number;
}

/** The onboards of one task queue, from Temporal's lists, which lag behind by a moment. */
export class Lists {
  constructor(
    private readonly temporal: Client,
    private readonly runs: Runs,
    private readonly taskQueue: string,
  ) {}

  /** Sorted by `since`, the oldest first. */
  async list(filters: Filters = {}): Promise<Row[]> {
    const runs = newestRuns(await this.all());
    return runs
      .map(rowOf)
      .filter((row) => matches(row, filters))
      .sort((a, b) => a.since.localeCompare(b.since));
  }

  /** All of them, in no order. */
  async rowsWithRecords(): Promise<RowWithRecord[]> {
    const runs = newestRuns(await this.all());
    return runs.map((run) => ({ ...rowOf(run), record: recordOf(run) }));
  }

  /** The records of all onboards, as LeadConduit showed each last; oldest first. */
  async records(): Promise<OnboardRecord[]> {
    const runs = await this.all();
    const records = newestRuns(runs.filter((run) => recordOf(run) !== null)).map((run) => recordOf(run)!);
    const age = ({ created_at, id }: OnboardRecord) => `${created_at ?? ''} ${id}`;
    return records.sort((a, b) => age(a).localeCompare(age(b)));
  }

  private all = () => this.runs.list(listQuery(this.taskQueue));

  /** Onboards that are known here, in Temporal's order. They tell a starting worker which of LeadConduit's lists to believe. */
  async known(limit: number): Promise<KnownOnboard[]> {
    const query = `${listQuery(this.taskQueue)} AND OnboardOrigin IS NOT NULL`;
    const known: KnownOnboard[] = [];
    for await (const { typedSearchAttributes: read, startTime } of this.temporal.workflow.list({
      query,
      pageSize: limit,
    })) {
      const id = read.get(ATTRIBUTE_KEYS.OnboardId);
      const isOurs = read.get(ATTRIBUTE_KEYS.OnboardOrigin) === 'created';
      // A list has shown each adopted onboard, and each one that was moved on, since every call comes after a look.
      const isMoved = hasReached(read.get(ATTRIBUTE_KEYS.OnboardStatus) ?? null, 'in_progress');
      const since = (read.get(ATTRIBUTE_KEYS.OnboardSince) ?? startTime).getTime();
      if (id && known.push({ id, isOurs, isListed: !isOurs || isMoved, since }) >= limit) break;
    }
    return known;
  }

  /** Onboards that people have said to be gone from LeadConduit: those of `onboardIds`, and others that the same runs name. */
  async gone(onboardIds: readonly string[]): Promise<string[]> {
    const among = onboardIds.map(quoted).join(', ');
    const runs = await this.runs.list(`${listQuery(this.taskQueue)} AND OnboardGone IN (${among})`);
    return runs.flatMap((run) => run.typedSearchAttributes.get(ATTRIBUTE_KEYS.OnboardGone) ?? []);
  }

  /** Whether any onboard is followed at the moment. */
  async isAnyOpen(): Promise<boolean> {
    const query = `${listQuery(this.taskQueue)} AND ExecutionStatus = 'Running'`;
    return (await within(this.temporal, ANSWER_MS, () => this.temporal.workflow.count(query))).count > 0;
  }
}
