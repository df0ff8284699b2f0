/** What can be set while the emulator runs: how its list lags behind, which key it takes, and when it is down. */
import { once } from 'node:events';
import net from 'node:net';
import { newRecord } from '../../src/emulator/ledger';
import {
  call,
  effects,
  get,
  listed,
  made,
  OTHER,
  plan,
  post,
  put,
  set,
  start,
  summary,
  until,
} from '../support/emulator-calls';

describe('options', () => {
  test('they merge, and the answer tells which are in force', async () => {
    const emulator = await start();
    expect((await set(emulator, { lag_ms: 5 })).json).toEqual({ lag_ms: 5, hide_created: false, key: null });
    expect((await set(emulator, { hide_created: true })).json).toEqual({ lag_ms: 5, hide_created: true, key: null });
    const wrong = await set(emulator, { lag: 5 });
    expect([wrong.status, wrong.json]).toEqual([400, { error: expect.stringContaining('lag') as string }]);
    const now = await call(emulator.url, 'GET', '/_emulator/options');
    expect(now.json).toEqual({ lag_ms: 5, hide_created: true, key: null });
  });

  test('lag_ms: a created onboard is listed later', async () => {
    const emulator = await start();
    await set(emulator, { lag_ms: 2_000 });
    const record = await made(emulator);
    expect(await listed(emulator)).toEqual([]);
    await until(async () => (await listed(emulator)).length === 1);
    expect(Date.now() - Date.parse(record.created_at ?? '')).toBeGreaterThanOrEqual(2_000);
  });

  test('hide_created: what was posted is not listed, what others made is', async () => {
    const records = [newRecord(OTHER)];
    const emulator = await start({ records });
    const record = await made(emulator);
    await set(emulator, { hide_created: true });
    expect((await put(emulator, record)).status).toBe(200);
    expect(await listed(emulator)).toEqual(records);
    await set(emulator, { hide_created: false });
    expect(await listed(emulator)).toHaveLength(2);
  });

  test('down_ms: refused at once, open connections cut, then back on the same port', async () => {
    const emulator = await start();
    await plan(emulator, { on: 'GET', when: 'before', do: 'hang' });
    const idle = net.connect(emulator.port, '127.0.0.1');
    await once(idle, 'connect');
    const cut = Promise.all([once(idle, 'close'), expect(get(emulator)).rejects.toMatchObject({ code: 'ECONNRESET' })]);
    await until(async () => (await summary(emulator)).calls.GET === 1);

    const began = performance.now();
    expect((await set(emulator, { down_ms: 2_000 })).json).toMatchObject({ down_ms: 2_000 });
    await expect(post(emulator)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await cut;
    const isUp = () =>
      post(emulator).then(
        () => true,
        () => false,
      );
    await until(isUp);
    expect(performance.now() - began).toBeGreaterThanOrEqual(2_000);
    expect(await effects(emulator)).toMatchObject({ posts: 1, creates: 1 });
  });
});
