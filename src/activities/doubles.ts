import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LeadConduitClient, Look } from '../leadconduit/client';

/** Tells a run that LeadConduit lists several onboards of its invitation. The key is made from their ids. */
export type TellDoubled = (invitationId: string, onboardIds: readonly string[], key: string) => Promise<void>;

const KEEP = 10_000;

/**
 * Every list shows the onboards of all invitations, so any look can find a second onboard. The run concerned is told to
 * look for itself, once for the same onboards. An onboard that has no double costs nothing.
 */
export class Doubles {
  readonly #told = new Set<string>();
  /** Ms of the monotonic clock. */
  #lookedAt = performance.now();

  constructor(private readonly tell: TellDoubled) {}

  /** Call it with each look. */
  readonly seen = (look: Look): void => {
    this.#lookedAt = performance.now();
    for (const [invitation, listed] of look.doubled) {
      // Sorted, so that the same onboards always give the same key and the same message.
      const ids = listed.toSorted();
      const key = `doubled-${createHash('sha256').update(ids.join()).digest('hex').slice(0, 32)}`;
      if (this.#told.has(invitation + key)) continue;
      this.#remember(invitation + key);
      // If the run cannot be told now, the next look tells it.
      this.tell(invitation, ids, key).catch(() => this.#told.delete(invitation + key));
    }
  };

  /**
   * Looks if nobody else has for `everyMs`, as long as onboards are open.
   * @returns a function that ends it
   */
  keepLooking(leadconduit: LeadConduitClient, isAnyOpen: () => Promise<boolean>, everyMs: number): () => void {
    const ended = new AbortController();
    const keep = async () => {
      for (let triedAt = -Infinity; ;) {
        // A failed look is not reported here: the activities that need one report it. The next try comes soon.
        const dueAt = Math.max(this.#lookedAt + everyMs, triedAt + everyMs / 10);
        await sleep(Math.max(0, dueAt - performance.now()), undefined, { ref: false, signal: ended.signal });
        if (performance.now() < this.#lookedAt + everyMs) continue;
        triedAt = performance.now();
        await isAnyOpen()
          .then((isAny) => (isAny ? leadconduit.look(Date.now() + everyMs) : undefined))
          .catch(() => undefined);
      }
    };
    // The loop ends only by the signal.
    keep().catch(() => undefined);
    return () => ended.abort();
  }

  #remember(what: string): void {
    this.#told.add(what);
    const [oldest] = this.#told;
    if (this.#told.size > KEEP && oldest !== undefined) this.#told.delete(oldest);
  }
}
