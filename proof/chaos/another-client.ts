/** Another client of the account, and people at LeadConduit's own screen: they know nothing of us, and write when the plan says so. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OnboardRecord } from '../../src/leadconduit/schema';
import type { Change } from './deeds';
import { ANOTHER, listOf, OURS, type Journal } from './journal';
import type { Rival } from './plan';

const TIMEOUT_MS = 3_000;
const AGAIN_MS = 200;

/** What another client did. */
export interface Elsewhere {
  invitation_id: string;
  did: 'creates' | Change['what'];
}

export class AnotherClient {
  readonly done: Elsewhere[] = [];

  constructor(
    private readonly upstream: string,
    private readonly key: string,
    private readonly journal: () => Journal,
  ) {}

  async create({ invitation_id, when }: Rival): Promise<void> {
    const isCalled = (who: string) =>
      this.journal().arrivals.some((one) => one.from === who && one.invitation_id === invitation_id);
    while (when === 'with us' && !isCalled(OURS)) await sleep(AGAIN_MS);
    await this.until('POST', '/onboards', { invitation_id }, () =>
      this.journal().made.some(({ from, record }) => from === ANOTHER && record.invitation_id === invitation_id),
    );
    this.done.push({ invitation_id, did: 'creates' });
  }

  /** Changes the onboard as soon as it is in progress. */
  async change(invitation_id: string, { what, flow_id }: Change): Promise<void> {
    const find = () =>
      this.journal().made.findLast(({ record: { invitation_id: id } }) => id === invitation_id)?.record;
    let record = find();
    while (record?.status !== 'in_progress') {
      await sleep(AGAIN_MS);
      record = find();
    }
    if (what === 'sets the flow') await this.put({ ...record, flow_id });
    else await this.put({ ...record, status: what === 'completes' ? 'completed' : 'created' });
    this.done.push({ invitation_id, did: what });
  }

  /** Sets the status and leaves the rest of the record as it is. */
  async putRight(id: string, status: string): Promise<void> {
    const record = listOf(this.journal()).find((one) => one.id === id);
    if (record) await this.put({ ...record, status });
  }

  private put({ id, ...record }: OnboardRecord): Promise<void> {
    const before = this.journal().made.length;
    const isThere = () =>
      this.journal()
        .made.slice(before)
        .some(({ from, record: now }) => from === ANOTHER && now.id === id && now.status === record.status);
    return this.until('PUT', `/onboards/${id}`, { id, ...record }, isThere);
  }

  /** Repeats the call until its effect is there: LeadConduit's faults trouble this client as they do ours. */
  private async until(method: string, path: string, body: object, isThere: () => boolean): Promise<void> {
    const authorization = `Basic ${btoa(`${ANOTHER}:${this.key}`)}`;
    while (!isThere()) {
      await fetch(this.upstream + path, {
        method,
        body: JSON.stringify(body),
        headers: { authorization, 'content-type': 'application/json' },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      }).catch(() => undefined);
      if (!isThere()) await sleep(AGAIN_MS);
    }
  }
}
