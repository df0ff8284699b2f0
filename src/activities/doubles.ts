import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LeadConduitClient, Look } from '../leadconduit/client';

/** Told that LeadConduit lists several onboards of an invitation. The key makes it safe to repeat: it names these onboards. */
export type TellDoubled = (invitationId: string, onboardIds: readonly string[], key: string) => Promise<void>;

const KEEP = 10_000;

/**
 * A second onboard shows in the list that any other onboard asks for, since a list shows everybody's. The run concerned
 * is told to look for itself, once for the same onboards: an onboard that has no double costs nothing.
 */
export class Doubles {
  readonly #told = new Set<string>();
  /** By a clock that nobody sets. */
  #lookedAt = performance.now();

  constructor(private readonly tell: TellDoubled) {}

  /** To be called with each look. */
  readonly seen = (look: Look): void => {
    this.#lookedAt = performance.now();
    for (const [invitation, listed] of look.doubled) {
      // In one order, since the same key must say the same.
      const ids = listed.toSorted();
      const key = `doubled-${createHash('sha256').update(ids.join()).digest('hex').slice(0, 32)}`;
      if (this.#told.has(invitation + key)) continue;
      this.#remember(invitation + key);
      // Told again with the next look where it could not be told now.
      this.tell(invitation, ids, key).catch(() => this.#told.delete(invitation + key));
    }
  };

  /**
   * Looks where nobody else has for so long, as long as onboards are open.
   * @returns what ends it
   */
  keepLooking(leadconduit: LeadConduitClient, isAnyOpen: () => Promise<boolean>, everyMs: number): () => void {
    const ended = new AbortController();
    const keep = async () => {
      for (let triedAt = -Infinity; ;) {
        // A try that fails is told by those who need it; the next one comes soon.
        const dueAt = Math.max(this.#lookedAt + everyMs, triedAt + everyMs / 10);
        await sleep(Math.max(0, dueAt - performance.now()), undefined, { ref: false, signal: ended.signal });
        if (performance.now() < this.#lookedAt + everyMs) continue;
        triedAt = performance.now();
        await isAnyOpen()
          .then((isAny) => (isAny ? leadconduit.look(Date.now() + everyMs) : undefined))
          .catch(() => undefined);
      }
    };
    // It ends by the signal only.
    keep().catch(() => undefined);
    return () => ended.abort();
  }

  #remember(what: string): void {
    this.#told.add(what);
    const [oldest] = this.#told;
    if (this.#told.size > KEEP && oldest !== undefined) this.#told.delete(oldest);
  }
}
