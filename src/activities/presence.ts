import type { Look } from '../leadconduit/looks';

const KEEP = 1_000;

/**
 * Whether a list can be believed when it does not show something: an account's key may not list what it creates.
 * A list that shows an onboard which this deployment created can.
 */
export class Presence {
  private readonly created = new Set<string>();

  add(onboardId: string): void {
    const id = onboardId.toLowerCase();
    this.created.delete(id);
    this.created.add(id);
    const [oldest] = this.created;
    if (this.created.size > KEEP && oldest !== undefined) this.created.delete(oldest);
  }

  isShownBy(look: Look): boolean {
    for (const id of this.created) if (look.byId(id)) return true;
    return false;
  }
}
