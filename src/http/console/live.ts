import type { Context } from 'hono';
import type { Session } from './session';
import { setTimeout as sleep } from 'node:timers/promises';
import { streamSSE, type SSEMessage } from 'hono/streaming';
import { Places } from '../load';
import { Problem, problemOf } from '../problems';

/** A part of a page, as hono's JSX makes it. */
interface Part {
  toString(): string | Promise<string>;
}

const LOOK_MS = 1_000;
/** In ms. The page says that the connection is lost when it has not heard a beat for 15 s. */
const BEAT_MS = 5_000;
/** In ms. A browser that has not read for this long is gone. */
const UNREAD_MS = 30_000;
/** One key gets half of these, and one log-in with that key half of that. */
const MOST = 200;

/** Sends a part of a page again whenever it has changed, as server-sent events. */
export class Live {
  private readonly places = new Places(MOST);

  constructor(private readonly draining: AbortSignal) {}

  /** @param isStill whether the session that opened the page is still valid */
  follow(c: Context<Session>, render: () => Promise<Part>, isStill: () => boolean): Response {
    // Nobody would read the events of a HEAD request, and nothing would end them.
    if (c.req.method !== 'GET') return c.body(null, 200);
    const leave = this.places.take(c.get('key').name, c.get('session'));
    if (!leave) throw new Problem(503, 'Too many pages are followed live', { 'Retry-After': '5' });
    // Frees the place as soon as the browser hangs up, whatever the loop below waits for.
    c.req.raw.signal.addEventListener('abort', leave);
    // A proxy that buffers would delay the events.
    c.header('X-Accel-Buffering', 'no');
    return streamSSE(c, async (stream) => {
      /** False when the browser no longer reads: the write would never finish. */
      const send = async (message: SSEMessage): Promise<boolean> => {
        const timer = new AbortController();
        const unread = sleep(UNREAD_MS, false, { ref: false, signal: timer.signal }).catch(() => false);
        try {
          return await Promise.race([stream.writeSSE(message).then(() => true), unread]);
        } finally {
          timer.abort();
        }
      };
      try {
        let shown = '';
        let beatAt = 0;
        /** Why the page cannot be shown now. It is kept for as long as that lasts, so that the log has it once. */
        let problem: Problem | undefined;
        while (!stream.aborted && !this.draining.aborted && isStill()) {
          let html = shown;
          try {
            html = await (await render()).toString();
            problem = undefined;
          } catch (error) {
            problem ??= problemOf(error);
            beatAt = 0;
          }
          if (problem && !(await send({ event: 'problem', data: problem.message }))) break;
          if (html !== shown && !(await send({ data: (shown = html) }))) break;
          if (!problem && Date.now() >= beatAt) {
            if (!(await send({ event: 'beat', data: '' }))) break;
            beatAt = Date.now() + BEAT_MS;
          }
          await stream.sleep(LOOK_MS);
        }
      } finally {
        leave();
      }
    });
  }
}
