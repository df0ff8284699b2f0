import type { WorkflowExecutionInfo } from '@temporalio/client';
import { WORKFLOW_TYPE } from '../onboard/ids';
import { ATTRIBUTE_KEYS } from '../workflows/search-attributes';

/** We ask Temporal for at most this many ids at once. */
const MOST = 100;

type Found = Map<string, WorkflowExecutionInfo>;

/** Looks up onboard ids in Temporal's lists. Callers that arrive while a request is out share the next one, so that looking up
 *  ids that nobody knows costs Temporal the same, however many callers ask. */
export class Sightings {
  private last: Promise<unknown> = Promise.resolve();
  private next: { ids: Set<string>; answer: Promise<Found> } | undefined;

  constructor(private readonly list: (query: string) => Promise<WorkflowExecutionInfo[]>) {}

  /** A run of the onboard. */
  async of(onboardId: string): Promise<WorkflowExecutionInfo | undefined> {
    const id = onboardId.toLowerCase();
    this.next ??= this.prepare();
    this.next.ids.add(id);
    return (await this.next.answer).get(id);
  }

  private prepare() {
    const ids = new Set<string>();
    const answer = this.last.then(() => {
      this.next = undefined;
      return this.ask([...ids]);
    });
    this.last = answer.catch(() => undefined);
    return { ids, answer };
  }

  private async ask(ids: string[]): Promise<Found> {
    const found: Found = new Map();
    for (let from = 0; from < ids.length; from += MOST) {
      const quoted = ids.slice(from, from + MOST).map((id) => `'${id}'`);
      for (const run of await this.list(`WorkflowType = '${WORKFLOW_TYPE}' AND OnboardId IN (${quoted.join(', ')})`)) {
        const id = run.typedSearchAttributes.get(ATTRIBUTE_KEYS.OnboardId);
        if (id !== undefined && !found.has(id)) found.set(id, run);
      }
    }
    return found;
  }
}
