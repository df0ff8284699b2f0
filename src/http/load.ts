import { isUtf8 } from 'node:buffer';
import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { isWrite } from './access';
import { Problem } from './problems';

/**
 * Places that callers divide. Whoever has some gets one more only while more than that are free: one alone gets half of
 * them, two a third each, and there is always one for who comes next. What a caller may get, its own parts divide alike.
 */
export class Places {
  private readonly taken = new Map<string, number>();
  private free: number;

  constructor(count: number) {
    this.free = count;
  }

  /** @param who the caller, and the part of it, if it has parts
   *  @returns undefined when there is none for this one now; else what gives it back, however often it is called */
  take(...who: string[]): (() => void) | undefined {
    const names = who.map((_, i) => JSON.stringify(who.slice(0, i + 1)));
    let free = this.free;
    for (const name of names) {
      const own = this.taken.get(name) ?? 0;
      if (own >= free) return undefined;
      // As many as it may still get.
      free = Math.ceil((free - own) / 2);
    }
    for (const name of names) this.taken.set(name, (this.taken.get(name) ?? 0) + 1);
    this.free -= 1;
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.free += 1;
      for (const name of names) {
        const left = (this.taken.get(name) ?? 1) - 1;
        if (left > 0) this.taken.set(name, left);
        else this.taken.delete(name);
      }
    };
  }
}

/**
 * Refuses at once what has no place: a queue would only make all of them late. Reads are counted apart: those that wait for
 * LeadConduit do not keep them out. `alone` is what one caller gets when there is no other. A place is free when its caller has been answered, or has hung up.
 */
export function atMost(alone: number, whoOf: (c: Context) => string[]): MiddlewareHandler {
  const places = { reads: new Places(2 * alone), writes: new Places(2 * alone) };
  return async (c, next) => {
    const leave = places[isWrite(c) ? 'writes' : 'reads'].take(...whoOf(c));
    if (!leave)
      throw new Problem(503, 'Too much of yours is under way here: try again in a second', { 'Retry-After': '1' });
    const { signal } = c.req.raw;
    signal.addEventListener('abort', leave);
    try {
      await next();
    } finally {
      signal.removeEventListener('abort', leave);
      leave();
    }
  };
}

/** Asked before anything is read out of it. */
export const bodyAtMost = (maxSize: number, inWords: string): MiddlewareHandler =>
  bodyLimit({
    maxSize,
    onError: async ({ req }) => {
      const { body } = req.raw;
      // The rest is read away: left in the connection, it would take the next request on it along when that is closed. In
      // pieces it is being read by the one that counts them: then the connection is given up with the answer.
      if (body && !body.locked) await body.pipeTo(new WritableStream());
      throw new Problem(413, `The body is larger than ${inWords}`, { Connection: 'close' });
    },
  });

/** What is read as UTF-8 all the same would be kept with other letters than were meant. */
export const inUtf8: MiddlewareHandler = async (c, next) => {
  if (isWrite(c)) {
    const body = await c.req.arrayBuffer().catch((error: unknown) => {
      // Whoever hung up in the middle of it reads no answer.
      if (c.req.raw.signal.aborted || (error as Error).message === 'aborted')
        throw new Problem(400, 'The body ended too early');
      throw error;
    });
    if (!isUtf8(new Uint8Array(body))) throw new Problem(400, 'The body is not in UTF-8');
  }
  await next();
};

/** What ends a request's waiting before its time. */
export interface Waiting {
  Variables: { over: AbortSignal };
}

/** Its caller has hung up, or this process is to end. A signal of its own: what listens to it goes with the request. */
export function untilOver(draining: AbortSignal): MiddlewareHandler<Waiting> {
  return async (c, next) => {
    const own = new AbortController();
    const sources = [draining, c.req.raw.signal];
    const end = () => own.abort();
    for (const source of sources) {
      source.addEventListener('abort', end);
      if (source.aborted) end();
    }
    c.set('over', own.signal);
    try {
      await next();
    } finally {
      for (const source of sources) source.removeEventListener('abort', end);
    }
  };
}
