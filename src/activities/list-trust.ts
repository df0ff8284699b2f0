import type { Look } from '../leadconduit/looks';

const KEEP = 1_000;

interface Known {
  /** Epoch ms of when we learnt of it. */
  since: number;
  /** A list has shown it. */
  isListed: boolean;
  /** This deployment created it, so that a list which shows it shows what this account's key creates. */
  isOurs: boolean;
}

/**
 * Whether LeadConduit's list can be believed when it does not show something. What is known of it is kept in memory.
 *
 * 1. What was listed once stays listed: LeadConduit cannot delete an onboard. A list that lacks one is incomplete or old,
 *    and nothing is sent on its word, a first create neither.
 * 2. An account's key may not list what it creates. After a call whose outcome is unknown, absence proves something only
 *    where the list shows onboards that were created here, all of those that it has had the time to list.
 */
export class ListTrust {
  readonly #known = new Map<string, Known>();
  /** What people know to be gone from LeadConduit. */
  readonly #gone = new Set<string>();

  /** An onboard of this deployment. @param isListed a list has shown it, here or to an earlier worker */
  add(onboardId: string, { isListed = false, isOurs = true, since = Date.now() }: Partial<Known> = {}): void {
    const id = onboardId.toLowerCase();
    if (this.#gone.has(id)) return;
    const known = this.#known.get(id);
    this.#known.delete(id);
    this.#known.set(id, {
      since: known?.since ?? since,
      isListed: isListed || known?.isListed === true,
      isOurs: isOurs || known?.isOurs === true,
    });
    const [oldest] = this.#known.keys();
    if (this.#known.size > KEEP && oldest !== undefined) this.#known.delete(oldest);
  }

  /** Somebody has seen that they are not in LeadConduit any more. */
  forget(onboardIds: readonly string[]): void {
    for (const id of onboardIds) {
      this.#known.delete(id.toLowerCase());
      this.#gone.add(id.toLowerCase());
    }
  }

  /** Learns from a look, and tells which onboards it lacks that a list has shown before. */
  lackedBy(look: Look): string[] {
    const lacked: string[] = [];
    for (const [id, known] of this.#known)
      if (look.has(id)) known.isListed = true;
      else if (known.isListed) lacked.push(id);
    return lacked;
  }

  /** @param lagMs how long LeadConduit may take to list what it has created */
  provesAbsence(look: Look, lagMs: number): boolean {
    let isShown = false;
    for (const [id, { since, isListed, isOurs }] of this.#known)
      if (look.has(id)) isShown ||= isOurs;
      else if (isListed || since + lagMs <= Date.now()) return false;
    return isShown;
  }
}
