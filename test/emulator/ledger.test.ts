/** What the emulator has counted and listed is true, and survives its process. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { newRecord } from '../../src/emulator/ledger';
import {
  call,
  effects,
  folder,
  get,
  listed,
  made,
  OTHER,
  plan,
  put,
  set,
  start,
  summary,
  until,
} from '../support/emulator-calls';

describe('the ledger', () => {
  test('records and counts survive a restart, a torn last line does not', async () => {
    const dataDir = path.join(folder(), 'not', 'there', 'yet');
    const first = await start({ dataDir, records: [newRecord(OTHER)] });
    const record = await made(first);
    await put(first, { ...record, status: 'in_progress' });
    await put(first, { ...record, status: 'completed' });
    const list = await listed(first);
    const told = await summary(first);
    await first.close();

    appendFileSync(path.join(dataDir, 'emulator.jsonl'), '{"effect":"created","rec');
    const second = await start({ dataDir });
    expect(await summary(second)).toEqual(told);
    expect(await listed(second)).toEqual(list);
    await set(second, { hide_created: true });
    expect(await listed(second)).toEqual([expect.objectContaining({ invitation_id: OTHER })]);
    const again = await made(second);
    await second.close();

    const third = await start({ dataDir });
    expect(await listed(third)).toEqual([...list, again]);
    expect(await effects(third)).toEqual({ posts: 2, creates: 2, puts: 2, completes: 1, emails: 1 });
  });

  test('an effect is in the file when the answer comes', async () => {
    const dataDir = folder();
    const record = await made(await start({ dataDir }));
    expect(readFileSync(path.join(dataDir, 'emulator.jsonl'), 'utf8')).toContain(record.id);
  });

  test('a damaged file is named, not read past', async () => {
    const dataDir = folder();
    writeFileSync(path.join(dataDir, 'emulator.jsonl'), '{"call":"GET","in_flight":1}\n{"call\n');
    await expect(start({ dataDir })).rejects.toThrow('emulator.jsonl, line 2');
  });

  test('calls are counted by method, ours are not', async () => {
    const emulator = await start();
    const record = await made(emulator);
    await put(emulator, record);
    await get(emulator);
    await get(emulator, { auth: null });
    await call(emulator.url, 'DELETE', '/onboards');
    expect((await summary(emulator)).calls).toEqual({ GET: 2, POST: 1, PUT: 1 });
  });

  test('max_in_flight counts a call that hangs until its socket is closed', async () => {
    const emulator = await start();
    await plan(emulator, { on: 'GET', when: 'before', do: 'hang', times: 3 });
    const leaving = new AbortController();
    const hanging = [get(emulator, leaving), get(emulator, leaving), get(emulator, leaving)];
    const ended = Promise.allSettled(hanging);
    await until(async () => (await summary(emulator)).max_in_flight === 3);
    leaving.abort();
    await ended;
    // All three have left: three at once again are not six.
    await Promise.all([get(emulator), get(emulator), get(emulator)]);
    expect(await summary(emulator)).toMatchObject({ calls: { GET: 6 }, max_in_flight: 3 });
  });
});
