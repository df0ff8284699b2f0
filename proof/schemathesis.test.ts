/** Made-up calls by the hundred: the document says what is served, and what is served keeps to the document. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Api, KEY } from '../test/support/api';
import { findSchemathesis, schemathesis } from '../test/support/schemathesis';
import { World } from '../test/support/world';

const SEED = 20_260_101;
/** Of each call and phase. More of them found nothing more; these take half a minute. */
const EXAMPLES = 5;
/** Of the document's examples: it is there, so that not every call ends at 404. */
const EXAMPLE = '64b8f0f5e4b0c3a1d5e6f7a8';

test('whatever is sent is answered as the document says, and nothing is doubled by it', async () => {
  const folder = await findSchemathesis();
  const world = await World.start();
  const api = await Api.start(world);
  expect(await api.create({ invitation_id: EXAMPLE })).toMatchObject({ status: 201 });
  process.stderr.write(`Schemathesis with the seed ${SEED}\n`);
  const { code, out } = await schemathesis(folder, { url: api.url, key: KEY, seed: SEED, examples: EXAMPLES });
  const { invitations } = await world.ledger();
  await api.close();
  await world.close();

  if (code !== 0) throw new Error(out.slice(-8_000));
  expect(out).toMatch(/Operations: +12 selected \/ 12 total/);
  expect(Number(/(\d+) generated/.exec(out)?.[1])).toBeGreaterThan(300);
  const doubled = Object.values(invitations).filter(({ creates, completes }) => creates > 1 || completes > 1);
  expect(doubled).toEqual([]);
}, 600_000);

test('without python3 it says what is needed, and is no success', async () => {
  const empty = mkdtempSync(join(tmpdir(), 'onboards-no-python-'));
  const attempt = findSchemathesis({ PATH: empty, XDG_CACHE_HOME: empty });
  await expect(attempt).rejects.toThrow(/needs python3 \(3\.10 or newer\) with pip/);
  rmSync(empty, { recursive: true });
});
