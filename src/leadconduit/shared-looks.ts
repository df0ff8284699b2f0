import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { LeadConduitError } from './leadconduit-error';
import { delayUntil, type CallSlots } from './call-slots';
import { ListedOnboard } from './schema';
import { shortfallOf } from './wholeness';

/** One answer of `GET /onboards`: every onboard of the account. Ids are compared in lower case, times are epoch ms. */
export interface Look {
  /** No byte of the request had left before this moment: what was done later may be missing. */
  readonly sentAt: number;
  /** When the answer was complete. */
  readonly arrivedAt: number;
  of(invitationId: string): readonly ListedOnboard[];
  has(onboardId: string): boolean;
  /** Invitations that have more than one onboard, with the ids of these. */
  readonly doubled: ReadonlyMap<string, readonly string[]>;
}

/**
 * @returns why the list cannot be relied on, if so. Other invitations' records are checked for their ids only: one
 * without an invitation belongs to none, and one whose ids cannot be read could belong to any.
 */
export function readLook(
  body: unknown,
  headers: IncomingHttpHeaders,
  sentAt: number,
  arrivedAt: number,
): Look | string {
  const list = z.array(z.unknown()).safeParse(body).data;
  if (!list) return 'an answer that cannot be read: it is not a list';
  const shortfall = shortfallOf(headers, list.length, arrivedAt);
  if (shortfall !== undefined) return shortfall;
  const ids = new Set<string>();
  const byInvitation = new Map<string, ListedOnboard[]>();
  for (const [i, item] of list.entries()) {
    const { data: onboard, error } = ListedOnboard.safeParse(item);
    if (!onboard) return cannotBeJudged(item, i, error);
    ids.add(onboard.id.toLowerCase());
    if (typeof onboard.invitation_id !== 'string') continue;
    const invitation = onboard.invitation_id.toLowerCase();
    const others = byInvitation.get(invitation);
    if (!others) byInvitation.set(invitation, [onboard]);
    else if (others.every(({ id }) => id.toLowerCase() !== onboard.id.toLowerCase())) others.push(onboard);
  }
  const doubled = new Map<string, readonly string[]>();
  for (const [invitation, { length }] of byInvitation)
    if (length > 1)
      doubled.set(
        invitation,
        byInvitation.get(invitation)!.map(({ id }) => id.toLowerCase()),
      );
  return {
    sentAt,
    arrivedAt,
    doubled,
    of: (invitationId) => byInvitation.get(invitationId.toLowerCase()) ?? [],
    has: (onboardId) => ids.has(onboardId.toLowerCase()),
  };
}

function cannotBeJudged(item: unknown, i: number, error: z.ZodError): string {
  const { id } = { ...(item as { id?: unknown } | null) };
  const named = typeof id === 'string' ? ` (id ${id.slice(0, 60)})` : '';
  const fields = error.issues.map(({ path }) => path.join('.') || 'all of it').join(' and ');
  return `record ${i + 1} of the list${named} has an unreadable ${fields}, so that nobody can tell whose it is: correct or remove it in LeadConduit`;
}

interface Waiter {
  resolve(look: Look): void;
  reject(error: Error): void;
}

/**
 * The account's list has no filter, so all who want to look share one look, and at most one is under way.
 * 1. A look serves those who asked before it was sent. Anyone who asks later gets the next one.
 * 2. A caller that waits here holds no slot: otherwise writers that wait for a look could take every slot it needs.
 */
export class SharedLooks {
  #waiting = new Set<Waiter>();
  #running = false;

  constructor(
    private readonly slots: CallSlots,
    private readonly send: () => Promise<Look>,
  ) {}

  /**
   * @param until epoch ms when to give up waiting; the look itself may go on for others.
   * @throws {LeadConduitError} the same one for all who shared a failed look; `sent: false` if there was none in time.
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
        () => waiter.reject(new LeadConduitError('look', 'no look in time', { sent: false, noSlot: true })),
        delayUntil(until),
      );
      batch.add(waiter);
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.size > 0) {
      const release = await this.slots.forLook();
      const batch = this.#waiting;
      this.#waiting = new Set();
      if (batch.size > 0) await this.#serve(batch);
      release();
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
