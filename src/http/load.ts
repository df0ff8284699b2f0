import { isUtf8 } from 'node:buffer';
import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { isWrite } from './access';
import { Problem } from './problems';

/**
 * Places that callers share. A caller gets one more only while more are free than it holds. So a lone caller gets half of
 * them, two get a third each, and as many stay free for the next. A caller's parts share what it may get by the same rule.
 */
export class Places {
  private readonly taken = new Map<string, number>();
  private free: number;

  constructor(count: number) {
    this.free = count;
  }

  /** @param who the caller, and which part of it
   *  @returns what gives the place back, and may be called repeatedly; undefined when this caller gets none now */
  take(...who: string[]): (() => void) | undefined {
    const names = who.map((_, i) => JSON.stringify(who.slice(0, i + 1)));
    let free = this.free;
    for (const name of names) {
      const own = this.taken.get(name) ?? 0;
      if (own >= free) return undefined;
      // How many more this caller may get.
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
 * Refuses a request for which there is no place: a queue would only make all of them late. Reads and writes have places of
 * their own, so that writes that wait for LeadConduit do not keep reads out. A place is free again when its caller has been
 * answered or has hung up. @param alone how many places one caller gets when there is no other
 */
export function atMost(alone: number, whoOf: (c: Context) => string[]): MiddlewareHandler {
  const places = { reads: new Places(2 * alone), writes: new Places(2 * alone) };
  return async (c, next) => {
    const leave = places[isWrite(c) ? 'writes' : 'reads'].take(...whoOf(c));
    if (!leave)
      throw new Problem(503, 'Too many requests with your key are under way: try again in a second', {
        'Retry-After': '1',
      });
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

/** Limits the size of a body. Use it before anything reads the body. */
export const bodyAtMost = (maxSize: number, inWords: string): MiddlewareHandler =>
  bodyLimit({
    maxSize,
    onError: async ({ req }) => {
      const { body } = req.raw;
      // Read and drop the rest: if it stayed unread, closing the connection would lose the next request on it. A chunked
      // body is already being read by the limiter; then the connection is given up with the answer.
      if (body && !body.locked) await body.pipeTo(new WritableStream());
      throw new Problem(413, `The body is larger than ${inWords}`, { Connection: 'close' });
    },
  });

/** Refuses a body that is not UTF-8: it would be decoded to the wrong characters. */
export const inUtf8: MiddlewareHandler = async (c, next) => {
  if (isWrite(c)) {
    const body = await c.req.arrayBuffer().catch((error: unknown) => {
      // Nobody reads this answer: the caller hung up in the middle of the body.
      if (c.req.raw.signal.aborted || (error as Error).message === 'aborted')
        throw new Problem(400, 'The body ended too early');
      throw error;
    });
    if (!isUtf8(new Uint8Array(body))) throw new Problem(400, 'The body is not in UTF-8');
  }
  await next();
};

/** What handlers need in order to stop waiting early. */
export interface Waiting {
  Variables: { over: AbortSignal };
}

/** Sets `over`: aborted when the caller hangs up or this process is to end. Each request has its own signal and listeners. */
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
