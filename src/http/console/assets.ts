import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Hono } from 'hono';

const own = (name: string) => join(__dirname, 'assets', name);
const htmx = ['htmx.org/dist/htmx.min.js', 'htmx.org/dist/ext/hx-sse.min.js'];
const FILES = {
  'console.css': { paths: [own('console.css')], type: 'text/css; charset=utf-8' },
  'live.js': { paths: [own('live.js')], type: 'text/javascript; charset=utf-8' },
  'icon.svg': { paths: [own('icon.svg')], type: 'image/svg+xml' },
  // One file for both: htmx does not wait for an extension that arrives after it, and the page would never update live.
  'htmx.js': { paths: htmx.map((name) => require.resolve(name)), type: 'text/javascript; charset=utf-8' },
};
type Name = keyof typeof FILES;

const kept = new Map(
  (Object.keys(FILES) as Name[]).map((name) => {
    const bytes = Buffer.from(FILES[name].paths.map((path) => readFileSync(path, 'utf8')).join('\n'));
    return [name, { bytes, version: createHash('sha256').update(bytes).digest('hex').slice(0, 12) }] as const;
  }),
);

/** The address contains a hash of the content, so that browsers may cache it forever. */
export const addressOf = (name: Name) => `/assets/${name}?${kept.get(name)!.version}`;

export const assets = new Hono().get('/assets/:name', (c) => {
  const name = c.req.param('name') as Name;
  const file = kept.get(name);
  if (!file) return c.notFound();
  return c.body(new Uint8Array(file.bytes), 200, {
    'Content-Type': FILES[name].type,
    'Cache-Control': 'public, max-age=31536000, immutable',
  });
});
