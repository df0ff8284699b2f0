import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { Problem } from '../problems';

/** Of hono's JSX. */
interface Part {
  toString(): string | Promise<string>;
}

const LOOK_MS = 1_000;
/** The page says that the connection is lost when it has heard none of these for 15 s. */
const BEAT_MS = 5_000;
const MOST = 200;

/** Sends a part of a page again whenever it has changed, as server-sent events. */
export class Live {
  private open = 0;

  constructor(private readonly draining: AbortSignal) {}

  follow(c: Context, render: () => Promise<Part>): Response {
    if (this.open >= MOST) throw new Problem(503, 'Too many pages are followed live', { 'Retry-After': '5' });
    this.open += 1;
    // A proxy that collects what it hands on would make it late.
    c.header('X-Accel-Buffering', 'no');
    return streamSSE(c, async (stream) => {
      try {
        let shown = '';
        let beatAt = 0;
        while (!stream.aborted && !this.draining.aborted) {
          const html = await (await render()).toString();
          if (html !== shown) await stream.writeSSE({ data: (shown = html) });
          if (Date.now() >= beatAt) {
            await stream.writeSSE({ event: 'beat', data: '' });
            beatAt = Date.now() + BEAT_MS;
          }
          await stream.sleep(LOOK_MS);
        }
      } finally {
        this.open -= 1;
      }
    });
  }
}
