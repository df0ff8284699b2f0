import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context } from 'hono';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Key, Keys } from './keys';
import { Problem } from './problems';

/** People mistype: this many wrong keys of an address are answered at once. */
const FREE = 3;
const FIRST_MS = 250;
const MOST_MS = 5_000;
/** How long an address is remembered after its last wrong key. */
const MEMORY_MS = 10 * 60_000;
const MOST_ADDRESSES = 1_000;
/** Stands for all addresses beyond `MOST_ADDRESSES`. */
const OTHERS = 'other addresses';
/** How many wrong keys may wait for their answer at the same time. */
const MOST_WAITING = 500;

/** Checks keys for the API and the console. A right key is let in at once; wrong ones are logged and, after a few, delayed. */
export class Guesses {
  private readonly wrong = new Map<string, { count: number; at: number }>();
  private waiting = 0;

  constructor(
    private readonly keys: Keys,
    private readonly draining: AbortSignal,
  ) {}

  /** Undefined for a wrong key. @throws {Problem} when too many wrong keys wait already */
  async find(c: Context, password: string): Promise<Key | undefined> {
    const key = this.keys.find(password);
    if (!key) await this.slowDown(addressOf(c));
    return key;
  }

  private async slowDown(address: string): Promise<void> {
    const { who, count } = this.remember(address);
    // Never log what was tried: it may be a right key with a typo.
    if (Number.isInteger(Math.log2(count))) console.error(`Wrong key from ${who}: ${count} by now`);
    const ms = count <= FREE ? 0 : Math.min(FIRST_MS * 2 ** (count - FREE - 1), MOST_MS);
    if (ms === 0) return;
    if (this.waiting >= MOST_WAITING)
      throw new Problem(429, 'Too many wrong keys', { 'Retry-After': '10', Connection: 'close' });
    this.waiting += 1;
    await sleep(ms, undefined, { signal: this.draining }).catch(() => undefined);
    this.waiting -= 1;
  }

  private remember(address: string): { who: string; count: number } {
    const now = Date.now();
    // The address that has been silent for longest comes first.
    for (const [known, { at }] of this.wrong) {
      if (at > now - MEMORY_MS) break;
      this.wrong.delete(known);
    }
    const who = this.wrong.has(address) || this.wrong.size < MOST_ADDRESSES ? address : OTHERS;
    const count = (this.wrong.get(who)?.count ?? 0) + 1;
    this.wrong.delete(who);
    this.wrong.set(who, { count, at: now });
    return { who, count };
  }
}

/** The address of the connection. A header that names another one proves nothing: the caller writes it. */
function addressOf(c: Context): string {
  // Undefined when the app runs without a server.
  const { incoming } = (c.env ?? {}) as { incoming?: unknown };
  const address = incoming === undefined ? undefined : getConnInfo(c).remote.address;
  return address?.replace(/^::ffff:/, '') ?? 'nowhere';
}
