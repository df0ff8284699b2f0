import { z } from 'zod';
import { LeadConduitError } from './errors';
import { delayUntil, type Places } from './places';
import { ListedOnboard } from './schema';

/** One answer of `GET /onboards`: every onboard of the account. Ids are compared in lower case, times are epoch ms. */
export interface Look {
  /** No byte of the request had left before this moment: what was done later may be missing. */
  readonly sentAt: number;
  /** When the answer was complete. */
  readonly arrivedAt: number;
  readonly size: number;
  of(invitationId: string): readonly ListedOnboard[];
  byId(onboardId: string): ListedOnboard | undefined;
  has(onboardId: string): boolean;
}

/** @returns undefined when the body is not a list that can be relied on. Other people's records are judged by their ids only. */
export function readLook(body: unknown, sentAt: number, arrivedAt: number): Look | undefined {
  const list = z.array(ListedOnboard).safeParse(body).data;
  if (!list) return undefined;
  const byId = new Map<string, ListedOnboard>();
  const byInvitation = new Map<string, ListedOnboard[]>();
  for (const onboard of list) {
    if (byId.has(onboard.id.toLowerCase())) continue;
    byId.set(onboard.id.toLowerCase(), onboard);
    const invitation = onboard.invitation_id.toLowerCase();
    const others = byInvitation.get(invitation);
    if (others) others.push(onboard);
    else byInvitation.set(invitation, [onboard]);
  }
  return {
    sentAt,
    arrivedAt,
    size: list.length,
    of: (invitationId) => byInvitation.get(invitationId.toLowerCase()) ?? [],
    byId: (onboardId) => byId.get(onboardId.toLowerCase()),
    has: (onboardId) => byId.has(onboardId.toLowerCase()),
  };
}

interface Waiter {
  resolve(look: Look): void;
  reject(error: Error): void;
}

/**
 * The account's list has no filter, so all who want to look share one look, and at most one is under way.
 * 1. A look serves those who asked before it was sent; who asks later gets the next one.
 * 2. Whoever waits here holds no place: else writers waiting for looks could fill all the places that looks need.
 */
export class Looks {
  #waiting = new Set<Waiter>();
  #running = false;

  constructor(
    private readonly places: Places,
    private readonly send: () => Promise<Look>,
  ) {}

  /**
   * @param until epoch ms; the look itself may go on for others.
   * @throws {LeadConduitError} the same one for all who shared a look that failed; `sent: false` when there was none in time.
   */
  next(until: number): Promise<Look> {
    return new Promise((resolve, reject) => {
      const batch = this.#waiting;
      const done = () => {
        clearTimeout(deadline);
        batch.delete(waiter);
      };
      const waiter: Waiter = {
        resolve: (look) => {
          done();
          resolve(look);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
      const deadline = setTimeout(
        () => waiter.reject(new LeadConduitError('look', 'no look in time', { sent: false, noPlace: true })),
        delayUntil(until),
      );
      batch.add(waiter);
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.size > 0) {
      const leave = await this.places.forLook();
      const batch = this.#waiting;
      this.#waiting = new Set();
      if (batch.size > 0) await this.#serve(batch);
      leave();
    }
    this.#running = false;
  }

  async #serve(batch: ReadonlySet<Waiter>): Promise<void> {
    try {
      const look = await this.send();
      for (const waiter of batch) waiter.resolve(look);
    } catch (error) {
      for (const waiter of batch) waiter.reject(error as Error);
    }
  }
}
